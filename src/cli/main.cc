#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/version.h"

namespace baton::cli {

int fail(const Error& error) {
  std::fprintf(stderr, "baton: %s\n", error.message.c_str());
  return error.origin == Origin::client ? 2 : 1;
}

}  // namespace baton::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  baton::log::init("info");

  CLI::App app{
      "Baton: an inference service whose answers do not depend on what happens behind it."};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("baton ") + baton::cli::kVersion);
  int exit_code = 0;
  baton::cli::add_up(app, exit_code);
  baton::cli::add_replica(app, exit_code);
  baton::cli::add_generate(app, exit_code);
  baton::cli::add_chat(app, exit_code);
  baton::cli::add_tokenize(app, exit_code);
  baton::cli::add_detokenize(app, exit_code);
  baton::cli::add_bench(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {  // a library threw: out of memory, a broken stream
    return baton::cli::fail(baton::self_error(baton::Code::internal, error.what()));
  }
  return exit_code;
}
