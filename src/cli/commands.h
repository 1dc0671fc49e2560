// One function a subcommand: adds it to the program and runs it when chosen. The exit code: 0 fine,
// 1 something failed, 2 wrong usage.
#pragma once

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace baton::cli {

void add_up(CLI::App& app, int& exit_code);
void add_replica(CLI::App& app, int& exit_code);
void add_generate(CLI::App& app, int& exit_code);
void add_chat(CLI::App& app, int& exit_code);
void add_tokenize(CLI::App& app, int& exit_code);
void add_detokenize(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);

/// Prints `error` for a person on stderr; returns the exit code that fits (2 for wrong input).
int fail(const Error& error);

}  // namespace baton::cli
