# What every target of the project is compiled with.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# address = AddressSanitizer and UndefinedBehaviorSanitizer together, thread = ThreadSanitizer.
set(BOS_SANITIZE "" CACHE STRING "sanitizer of this build: empty, address or thread")
set_property(CACHE BOS_SANITIZE PROPERTY STRINGS "" address thread)

add_library(bos_options INTERFACE)
target_compile_options(bos_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror
  -fstack-protector-strong)
target_compile_definitions(bos_options INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(bos_options INTERFACE -fuse-ld=lld)

if(BOS_SANITIZE STREQUAL "address")
  # With the counters of libFuzzer, for tests/fuzz.
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined,fuzzer-no-link)
elseif(BOS_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
