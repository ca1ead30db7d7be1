# bin/otlog, the tool. It links the shared library as any user's program does, and sees the public headers only; its parts
# but main() are apart, so that tests can link them.
file(GLOB OTLOG_CLI CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sdk/cli/*.c)
list(FILTER OTLOG_CLI EXCLUDE REGEX "/main\\.c$")
add_library(otlog-cli-objects OBJECT ${OTLOG_CLI})
target_include_directories(otlog-cli-objects PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)

add_executable(otlog-tool ${CMAKE_SOURCE_DIR}/sdk/cli/main.c)
set_target_properties(otlog-tool PROPERTIES OUTPUT_NAME otlog INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
target_compile_definitions(otlog-cli-objects PUBLIC OTLOG_CLI_VERSION="${PROJECT_VERSION}")
target_link_libraries(otlog-tool PRIVATE otlog-cli-objects otlog Threads::Threads m)
install(TARGETS otlog-tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
