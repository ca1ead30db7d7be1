find_program(PROTOC_C protoc-c REQUIRED)

# otlog_add_protobuf_c(NAME FILE…): an object library NAME of the C code that protoc-c makes from the files.
function(otlog_add_protobuf_c name)
  set(out ${CMAKE_BINARY_DIR}/proto)
  file(MAKE_DIRECTORY ${out})
  set(sources)
  foreach(proto ${ARGN})
    get_filename_component(stem ${proto} NAME_WE)
    add_custom_command(
      OUTPUT ${out}/${stem}.pb-c.c ${out}/${stem}.pb-c.h
      COMMAND ${PROTOC_C} --c_out=${out} --proto_path=${CMAKE_SOURCE_DIR}/proto ${proto}
      DEPENDS ${ARGN}
      COMMENT "protoc-c ${stem}.proto")
    list(APPEND sources ${out}/${stem}.pb-c.c)
  endforeach()
  add_library(${name} OBJECT ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_BINARY_DIR})
  target_include_directories(${name} PRIVATE ${out})
  target_link_libraries(${name} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()

# otlog_export_only(TARGET MAP): the library exports what the version script MAP lists, and the list is kept honest.
function(otlog_export_only target map)
  target_link_options(${target} PRIVATE -Wl,--version-script=${map} -Wl,--gc-sections -Wl,-z,relro,-z,now
                                       -Wl,-z,noseparate-code)
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${map})
endfunction()
