// Connections need file descriptors, of which the system grants a process only so many. Internal to
// the room.
#pragma once

#include <cstdint>

namespace baton::http {

/// Raises this process's soft limit of open files to the hard one (getrlimit(2): usually 1,024 and
/// far more). Returns the limit that holds then; no limit is UINT64_MAX.
uint64_t raise_descriptor_limit();

/// How many of `wanted` connections fit into `descriptors`, `reserved` of which are for other uses;
/// at least one.
uint32_t connections_within(uint32_t wanted, uint64_t descriptors, uint32_t reserved);

}  // namespace baton::http
