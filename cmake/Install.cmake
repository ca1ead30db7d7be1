# `cmake --install`: the libraries, the headers, the documentation, and what lets others find them by pkg-config and by find_package(otlog).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS otlog-api otlog EXPORT otlog-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS otlog-static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/otlog DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# Beside each other as here, so that links from one to the other hold.
file(GLOB OTLOG_DOCS CONFIGURE_DEPENDS docs/*.md)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${OTLOG_DOCS} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)

# Relative to the .pc file, so that `--prefix` at install time and a moved folder work too.
file(RELATIVE_PATH OTLOG_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" OTLOG_PC_TO_PREFIX ${OTLOG_PC_TO_PREFIX})
foreach(name otlog-api otlog)
  configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

set(OTLOG_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/otlog)
install(EXPORT otlog-targets NAMESPACE otlog:: FILE otlogConfig.cmake DESTINATION ${OTLOG_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/otlogConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/otlogConfigVersion.cmake DESTINATION ${OTLOG_CMAKE_DIR})
