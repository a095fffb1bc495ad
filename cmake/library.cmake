# bos_library(NAME domain SOURCES a.cc … DEPENDS bos_schemas …): a library of the project with its warnings.
function(bos_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPENDS" ${ARGN})
  add_library(bos_${ARG_NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(bos_${ARG_NAME} PUBLIC ${ARG_DEPENDS} PRIVATE bos_options)
  target_include_directories(bos_${ARG_NAME} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

# bos_test(NAME eventstore SOURCES a_test.cc … DEPENDS … LABELS unit): one doctest binary, one ctest entry.
function(bos_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;DEPENDS;LABELS;ARGS" ${ARGN})
  add_executable(${ARG_NAME}_test ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/main.cc)
  target_link_libraries(${ARG_NAME}_test PRIVATE ${ARG_DEPENDS} bos_options)
  target_include_directories(${ARG_NAME}_test PRIVATE ${PROJECT_SOURCE_DIR})
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME}_test ${ARG_ARGS})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 900)
  endif()
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "BOS_SOURCE_DIR=${PROJECT_SOURCE_DIR};BOS_BINARY_DIR=${PROJECT_BINARY_DIR};TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp")
  # What the sanitizer runs build.
  if("unit" IN_LIST ARG_LABELS OR "contract" IN_LIST ARG_LABELS)
    add_dependencies(unit_tests ${ARG_NAME}_test)
  endif()
endfunction()
