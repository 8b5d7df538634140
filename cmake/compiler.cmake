# What every target of ours is compiled with.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# ccache when present. With precompiled headers it needs to be told that their
# time stamps do not matter.
find_program(SHARDGATE_CCACHE ccache)
if(SHARDGATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${SHARDGATE_CCACHE})
endif()

# mold when present: linking is a third of a one-file rebuild otherwise. GCC 12.1 and clang know it.
find_program(SHARDGATE_MOLD mold)

add_library(shardgate_options INTERFACE)
target_include_directories(shardgate_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
  $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
target_compile_options(shardgate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-align -Woverloaded-virtual
  -Wconversion -Wno-sign-conversion -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${SHARDGATE_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess lets ccache see through the precompiled header.
  target_compile_options(shardgate_options INTERFACE -fpch-preprocess)
  # False positives of GCC 12 and 14 inside Boost and libstdc++ at -O2.
  target_compile_options(shardgate_options INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wno-restrict -Wno-dangling-reference
    -Wno-free-nonheap-object -Wno-mismatched-new-delete)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(shardgate_options INTERFACE -fcoroutines)
  endif()
else()
  target_compile_options(shardgate_options INTERFACE -Wno-gnu-zero-variadic-macro-arguments)
endif()

if(SHARDGATE_SANITIZE)
  target_compile_options(shardgate_options INTERFACE
    -fsanitize=${SHARDGATE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(shardgate_options INTERFACE -fsanitize=${SHARDGATE_SANITIZE})
  # clang 14 cannot compile coroutines with the function sanitizer.
  target_compile_options(shardgate_options INTERFACE
    $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  # Sanitizer instrumentation makes GCC see overflows that are not there.
  target_compile_options(shardgate_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()
if(SHARDGATE_MOLD)
  target_link_options(shardgate_options INTERFACE -fuse-ld=mold)
endif()
if(SHARDGATE_COVERAGE)
  target_compile_options(shardgate_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(shardgate_options INTERFACE --coverage)
endif()

# The profile lies in the build directory, by the names of its object files: both builds have to be made there.
if(SHARDGATE_PROFILE)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "SHARDGATE_PROFILE=${SHARDGATE_PROFILE} needs GCC")
  endif()
  set(profile "${PROJECT_BINARY_DIR}/profile")
  if(SHARDGATE_PROFILE STREQUAL "generate")
    set(profile_flags -fprofile-generate=${profile} -fprofile-update=prefer-atomic)
  elseif(SHARDGATE_PROFILE STREQUAL "use")
    # What no training reached is compiled as ever, not for size.
    set(profile_flags -fprofile-use=${profile} -fprofile-partial-training -Wno-missing-profile)
    # By the profile GCC would write copies of unknown length out as "rep movs"; libc's are no slower anywhere, and
    # quicker for memory that is in no near cache.
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
      list(APPEND profile_flags
        -mmemcpy-strategy=unrolled_loop:32:noalign,libcall:-1:noalign
        -mmemset-strategy=unrolled_loop:128:noalign,libcall:-1:noalign)
    endif()
  else()
    message(FATAL_ERROR "SHARDGATE_PROFILE is \"${SHARDGATE_PROFILE}\", allowed: generate, use")
  endif()
  target_compile_options(shardgate_options INTERFACE ${profile_flags})
  target_link_options(shardgate_options INTERFACE ${profile_flags})
endif()
