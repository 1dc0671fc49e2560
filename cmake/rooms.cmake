# baton_room(NAME [ROOMS …] [LIBRARIES …]): the static library baton_NAME from src/NAME/**, and
# NAME_test from the *_test.cc beside the sources. *_avx2.cc, *_avx512.cc and *_amx.cc are compiled
# for their instruction set; everything else for plain x86-64.
function(baton_room name)
  cmake_parse_arguments(ROOM "" "" "ROOMS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|benchmark)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  set(uses ${ROOM_ROOMS})
  if(NOT name STREQUAL "base")
    list(APPEND uses base)
  endif()
  list(TRANSFORM uses PREPEND baton_)

  if(sources)
    add_library(baton_${name} STATIC ${sources})
    target_include_directories(baton_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(baton_${name} PUBLIC ${uses} ${ROOM_LIBRARIES})
  else()
    add_library(baton_${name} INTERFACE)
    target_include_directories(baton_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(baton_${name} INTERFACE ${uses} ${ROOM_LIBRARIES})
  endif()
  if(EXISTS ${CMAKE_SOURCE_DIR}/src/${name}/room.cmake)
    include(${CMAKE_SOURCE_DIR}/src/${name}/room.cmake)  # precompiled header, extra flags
  endif()

  set(avx2 -mavx2 -mfma -mf16c -mbmi2)
  set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq)
  foreach(source ${sources})
    if(source MATCHES "_avx2\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${avx2}")
    elseif(source MATCHES "_avx512\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${avx512}")
    elseif(source MATCHES "_amx\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
                                  "${avx512};-mamx-tile;-mamx-bf16;-mamx-int8")
    endif()
  endforeach()

  if(BATON_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE baton_${name} GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE BATON_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    set(timeout_s 300)
    if(BATON_SANITIZE)  # several times slower, and the machine may be busy
      set(timeout_s 1200)
    endif()
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
                         PROPERTIES TIMEOUT ${timeout_s})
  endif()
endfunction()
