# Built on request: ninja kernels_benchmark
find_package(benchmark QUIET)
if(benchmark_FOUND)
  add_executable(kernels_benchmark EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/src/kernels/cpu/kernels_benchmark.cc)
  target_link_libraries(kernels_benchmark PRIVATE baton_kernels benchmark::benchmark_main)
endif()
