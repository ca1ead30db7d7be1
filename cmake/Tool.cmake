# bin/otlog, the tool. It links the shared library as any user's program does, and sees the public headers only; of base,
# which reads text for it, it has a copy. Its parts but main() are apart, so that tests can link them.
file(GLOB OTLOG_TOOL_PARTS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sdk/tool/*/*.c)
add_library(otlog-tool-objects OBJECT ${OTLOG_TOOL_PARTS})
target_include_directories(otlog-tool-objects PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
target_compile_definitions(otlog-tool-objects PUBLIC OTLOG_TOOL_VERSION="${PROJECT_VERSION}")

file(GLOB OTLOG_TOOL_MAIN CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sdk/tool/*.c)
add_executable(otlog-tool ${OTLOG_TOOL_MAIN} ${OTLOG_BASE})
set_target_properties(otlog-tool PROPERTIES OUTPUT_NAME otlog INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
target_link_libraries(otlog-tool PRIVATE otlog-tool-objects otlog Threads::Threads m)
target_link_options(otlog-tool PRIVATE -Wl,--gc-sections)
install(TARGETS otlog-tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
