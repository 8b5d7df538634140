include(GNUInstallDirs)
install(TARGETS shardgate shardgate-sim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES config/shardgate.example.toml DESTINATION ${CMAKE_INSTALL_DOCDIR})
