# Debian's packages only; `./bos` installs them.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)

find_library(ROCKSDB_LIBRARY rocksdb REQUIRED)
find_library(RDKAFKA_LIBRARY rdkafka REQUIRED)
find_library(SODIUM_LIBRARY sodium REQUIRED)
find_library(BOOST_JSON_LIBRARY NAMES boost_json REQUIRED)
find_library(BOOST_URL_LIBRARY NAMES boost_url REQUIRED)
find_program(FLATC flatc REQUIRED)

add_library(bos_rocksdb INTERFACE)
target_link_libraries(bos_rocksdb INTERFACE ${ROCKSDB_LIBRARY} Threads::Threads)

add_library(bos_rdkafka INTERFACE)
target_link_libraries(bos_rdkafka INTERFACE ${RDKAFKA_LIBRARY} Threads::Threads)

add_library(bos_boost INTERFACE)
target_link_libraries(bos_boost INTERFACE ${BOOST_JSON_LIBRARY} ${BOOST_URL_LIBRARY} Threads::Threads)
# Asio without its deprecated parts; one thread may own an io_context. It keeps memory of so many
# coroutine frames for the next ones: a request has about ten at a time.
target_compile_definitions(
    bos_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16)

# It uses std::aligned_storage, which C++23 deprecates; Debian 13's library says so.
add_library(bos_rapidcheck INTERFACE)
target_link_libraries(bos_rapidcheck INTERFACE rapidcheck)
target_compile_options(bos_rapidcheck INTERFACE -Wno-deprecated-declarations)
