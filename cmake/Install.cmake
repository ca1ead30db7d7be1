include(GNUInstallDirs)
install(TARGETS otlog-api otlog otlog-static)
install(DIRECTORY include/otlog DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
