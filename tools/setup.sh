# shellcheck shell=bash disable=SC2034,SC2154
# What ./serve and ./check share: the packages, the configuring and the building.
# Sourced, with `root` set to the folder of the clone.

# Debian 12's names. Everything the program needs, and what only the checks need.
build_packages=(g++ cmake ninja-build libboost1.81-dev libboost-json1.81-dev libspdlog-dev
  libcli11-dev libtomlplusplus-dev)
check_packages=(libgtest-dev clang-format-14 curl python3)
tidy_packages=(clang-tidy-14)

say() { printf '==> %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# need PACKAGES…: installs those that are missing; touches nothing when none is.
need() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "no apt here: Baton needs what Debian 12 calls: $*"
    return
  fi
  local package status missing=() as_root=()
  status=$(dpkg-query -W -f='${Package} ${db:Status-Abbrev}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qF "$package ii" <<<"$status" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "these packages are missing: ${missing[*]}; run this once as root, or install sudo"
    as_root=(sudo)
    [ -t 0 ] || as_root=(sudo -n)  # nobody is there to be asked
  fi
  say "installing ${missing[*]} (a minute or two)"
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
      --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "apt could not install these packages (the names are those of Debian 12): ${missing[*]}"
  fi
  rm -f "$log"
}

# One compiler job a core, and no more than memory holds: the largest files take about 1.5 GB.
jobs() {
  local cores memory_kb
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null || true)
  local fit=$((${memory_kb:-4000000} / 1500000))
  [ "$fit" -ge 1 ] || fit=1
  echo $((cores < fit ? cores : fit))
}

configure() { # configure PRESET: quiet unless it fails
  local log
  log=$(mktemp)
  if ! (cd "$root" && cmake --preset "$1") >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "could not configure the '$1' build"
  fi
  rm -f "$log"
}

build() { # build FOLDER [TARGETS…]: ninja's own progress lines
  local folder=$1
  shift
  NINJA_STATUS='[%f/%t, %es] ' ninja -C "$root/$folder" -j "$(jobs)" "$@"
}
