# otlog-grpc: the OTLP/gRPC exporter. A library of its own, which libotlog opens only where gRPC is chosen: gRPC's C core
# brings threads and dozens of libraries with it.
include(GNUInstallDirs)

pkg_check_modules(GRPC QUIET grpc)
option(OTLOG_GRPC "Build the OTLP/gRPC exporter (needs gRPC's C core: libgrpc-dev)" ${GRPC_FOUND})
if(NOT OTLOG_GRPC)
  message(STATUS "OTLP/gRPC is not built: for it install libgrpc-dev and give -DOTLOG_GRPC=ON")
  return()
endif()
if(NOT GRPC_FOUND)
  message(FATAL_ERROR "OTLOG_GRPC is ON, but pkg-config finds no grpc: install libgrpc-dev, or give -DOTLOG_GRPC=OFF")
endif()

# The .pc file lists what a static gRPC needs too, C++ libraries among it.
find_library(OTLOG_GRPC_LIBRARY grpc HINTS ${GRPC_LIBRARY_DIRS} REQUIRED)
find_library(OTLOG_GPR_LIBRARY gpr HINTS ${GRPC_LIBRARY_DIRS} REQUIRED)
mark_as_advanced(OTLOG_GRPC_LIBRARY OTLOG_GPR_LIBRARY)

file(GLOB OTLOG_GRPC_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/exporters/otlp_grpc/*.c)
add_library(otlog-grpc-objects OBJECT ${OTLOG_GRPC_SOURCES})
target_include_directories(otlog-grpc-objects PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR})
target_include_directories(otlog-grpc-objects SYSTEM PRIVATE ${GRPC_INCLUDE_DIRS})
add_dependencies(otlog-grpc-objects otlog-proto)
target_link_libraries(otlog-grpc-objects PUBLIC otlog-api ${OTLOG_GRPC_LIBRARY} ${OTLOG_GPR_LIBRARY}
                                                PkgConfig::PROTOBUF_C Threads::Threads)

# Of base and of what it shares with the exporters over HTTP it has copies: it must work without libotlog.
file(GLOB OTLOG_PEER CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/exporters/peer/*.c)
add_library(otlog-grpc SHARED ${OTLOG_BASE} ${OTLOG_PEER} $<TARGET_OBJECTS:otlog-proto>)
target_link_libraries(otlog-grpc PRIVATE otlog-grpc-objects PkgConfig::OPENSSL PUBLIC otlog-api)
otlog_export_only(otlog-grpc ${CMAKE_SOURCE_DIR}/cmake/otlog-grpc.map)
set_target_properties(otlog-grpc PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

# For programs that link everything statically; they register it themselves (otlog/exporters.h).
add_library(otlog-grpc-static STATIC)
set_target_properties(otlog-grpc-static PROPERTIES OUTPUT_NAME otlog-grpc)
target_link_libraries(otlog-grpc-static PUBLIC otlog-grpc-objects otlog-static)

configure_file(${CMAKE_SOURCE_DIR}/cmake/otlog-grpc.pc.in otlog-grpc.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/otlog-grpc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(TARGETS otlog-grpc EXPORT otlog-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS otlog-grpc-static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
