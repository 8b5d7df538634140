# shardgate_layer(<folder> [DEPENDS <folders>] [LINK <targets>])
#   One static library for src/<folder>. A layer sees only what it names: script/check-layers
#   holds the includes against the same order.
function(shardgate_layer folder)
  cmake_parse_arguments(arg "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp")
  set(target shardgate_${folder})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    if(SHARDGATE_PCH)
      target_precompile_headers(${target} PRIVATE
        <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <span> <string>
        <string_view> <unordered_map> <utility> <variant> <vector>)
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} shardgate_options ${arg_LINK})
  foreach(other IN LISTS arg_DEPENDS)
    target_link_libraries(${target} ${scope} shardgate_${other})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY SHARDGATE_LAYERS ${target})
endfunction()

# shardgate_unit_test(<folder> [LINK <targets>]): tests/unit/<folder>/*_test.cpp in one program.
function(shardgate_unit_test folder)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/unit/${folder}/*.cpp")
  if(NOT sources)
    return()
  endif()
  set(target unit_${folder})
  add_executable(${target} ${sources})
  if(SHARDGATE_PCH)
    target_precompile_headers(${target} PRIVATE <gtest/gtest.h>)
  endif()
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE
    shardgate_${folder} ${arg_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE
    SHARDGATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SHARDGATE_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # One CTest entry a program, shuffled: a test that depends on its neighbour is a bug.
  add_test(NAME unit.${folder} COMMAND ${target} --gtest_shuffle --gtest_brief=1)
  set_tests_properties(unit.${folder} PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()
