# bench/tokenizer_benchmark.cc is built on request: ninja tokenizer_benchmark
add_executable(tokenizer_benchmark EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/tokenizer_benchmark.cc)
target_link_libraries(tokenizer_benchmark PRIVATE baton_text)
