# Build options and the flags that every translation unit shares.
option(BATON_TESTS "Build the tests" ON)
set(BATON_SANITIZE "" CACHE STRING "Sanitizers: empty, address-undefined or thread")
option(BATON_FUZZ "Build the fuzz targets with libFuzzer (needs clang)" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")          # CHECK stays on, and so do asserts of libraries
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
if(BATON_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")  # lines are what the reports show
endif()

find_program(BATON_CCACHE ccache)
if(BATON_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BATON_CCACHE})
endif()

# -ffp-contract=off: a·b+c is fused where the source says fma, and nowhere else (exactness contract).
add_compile_options(-ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                    -Woverloaded-virtual -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-missing-field-initializers)
  # GCC 12 takes the matching operator new and delete of Asio's coroutine frames for mismatched once
  # it inlines one of the two.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete>)
endif()

if(BATON_FUZZ)  # the rooms report their coverage too; only the fuzz targets get libFuzzer's main
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(BATON_SANITIZE STREQUAL "address-undefined")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(BATON_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  add_link_options(-fsanitize=thread)
  # Asio's reference counts use a fence, which TSan does not understand; without std::atomic they use
  # Boost's, which order by the operation itself.
  add_compile_definitions(BOOST_ASIO_DISABLE_STD_ATOMIC)
endif()
