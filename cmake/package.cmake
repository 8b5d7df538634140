# "cpack -G DEB" in a build directory makes the Debian package; script/verify-package installs,
# upgrades, removes and purges it in a fresh root.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME shardgate)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "shardgate developers <shardgate@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Gateway proxy daemon for Discord bots")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Holds the bot's gateway connections and posts the events to its HTTP handler, so that the bot
 can restart, fail or reshard without losing one. With a simulator of Discord to rehearse with.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# All in one package: what has a place under the prefix, and what belongs to the system.
set(CPACK_COMPONENTS_ALL Unspecified system)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, passwd")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/config/debian/conffiles;${PROJECT_SOURCE_DIR}/config/debian/postinst;${PROJECT_SOURCE_DIR}/config/debian/prerm;${PROJECT_SOURCE_DIR}/config/debian/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
