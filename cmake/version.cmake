# <build>/generated/shardgate_version.hpp: version, git revision, library versions.
# Included by the top level file; run again as a script (-P) at each build, where it writes only
# what has changed: a new revision recompiles the one file that includes the header.

if(CMAKE_SCRIPT_MODE_FILE)
  set(SHARDGATE_REVISION "unknown")
  find_program(git git)
  if(git)
    # No optional locks: a build must not fight with the developer's own git.
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env GIT_OPTIONAL_LOCKS=0
              ${git} -c safe.directory=* -C ${SOURCE} describe --always --dirty=+changes --abbrev=10
              --exclude=*
      OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND revision)
      set(SHARDGATE_REVISION "${revision}")
    endif()
  endif()
  configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
  return()
endif()

set(shardgate_build_type "${CMAKE_BUILD_TYPE}")
if(SHARDGATE_SANITIZE)
  string(APPEND shardgate_build_type " with ${SHARDGATE_SANITIZE} sanitizer")
endif()
set(shardgate_libraries "")
foreach(pair "Boost=${Boost_VERSION_STRING}" "OpenSSL=${OPENSSL_VERSION}"
             "simdjson=${simdjson_VERSION}" "zstd=${ZSTD_VERSION}" "zlib=${ZLIB_VERSION_STRING}"
             "spdlog=${spdlog_VERSION}" "CLI11=${CLI11_VERSION}" "toml++=${tomlplusplus_VERSION}")
  string(REGEX MATCH "^([^=]+)=(.*)$" _ "${pair}")
  string(APPEND shardgate_libraries "    library{\"${CMAKE_MATCH_1}\", \"${CMAKE_MATCH_2}\"},\n")
endforeach()

# First what only a configure run can change, then, at build time, the revision.
set(AT "@")
set(template "${PROJECT_BINARY_DIR}/generated/shardgate_version.hpp.in")
file(CONFIGURE OUTPUT "${template}" CONTENT [[
// Generated at build time. Do not edit.
#pragma once

namespace shardgate::build {

struct library {
    const char* name;
    const char* version;
};

inline constexpr const char* version = "@PROJECT_VERSION@";
inline constexpr const char* revision = "@AT@SHARDGATE_REVISION@AT@";
inline constexpr const char* type = "@shardgate_build_type@";
inline constexpr const char* compiler = "@CMAKE_CXX_COMPILER_ID@ @CMAKE_CXX_COMPILER_VERSION@";
inline constexpr library libraries[] = {
@shardgate_libraries@};

}  // namespace shardgate::build
]] @ONLY)

set(header "${PROJECT_BINARY_DIR}/generated/shardgate_version.hpp")
add_custom_target(shardgate_version
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DTEMPLATE=${template} -DOUTPUT=${header}
          -P ${CMAKE_CURRENT_LIST_FILE}
  BYPRODUCTS ${header}
  COMMENT "Looking up the git revision" VERBATIM)
add_dependencies(shardgate_config shardgate_version)
