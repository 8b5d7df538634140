include(GNUInstallDirs)
install(TARGETS shardgate shardgate-sim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES config/shardgate.example.toml DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES config/prometheus/alerts.yml config/grafana/shardgate.json
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/monitoring)
install(FILES docs/man/shardgate.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# What belongs to the system and not below a prefix: in the package alone.
install(FILES config/debian/shardgate.toml DESTINATION /etc/shardgate
        COMPONENT system EXCLUDE_FROM_ALL)
install(FILES config/systemd/shardgate.service DESTINATION /usr/lib/systemd/system
        COMPONENT system EXCLUDE_FROM_ALL)
install(FILES config/systemd/shardgate.sysusers.conf DESTINATION /usr/lib/sysusers.d
        RENAME shardgate.conf COMPONENT system EXCLUDE_FROM_ALL)
include(package)
