#pragma once

#include "eventstore/shared_key_store.h"
#include "tests/eventstore/temp_folder.h"
#include "tests/kafka/brokers.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace bos::eventstore::test {

/// A node's copy of shared keys on the shared broker. Nodes of one topic have one master key.
struct KeyNode {
    KeyNode(std::string topic, std::string master_key) {
        options.topic.properties = {
            {"bootstrap.servers", bos::kafka::test::Brokers::one().bootstrap()}};
        options.topic.topic = std::move(topic);
        options.topic.replicas = 1;
        options.topic.min_insync_replicas = 1;
        options.path = folder / "keys";
        options.master_key = std::move(master_key);
        options.pool_keys = 8;
    }
    SharedKeyStore& open() {
        keys.reset();
        keys = SharedKeyStore::open(options).value();
        return *keys;
    }
    SharedKeyStore* operator->() { return keys.get(); }

    TempFolder folder;
    SharedKeyStoreOptions options;
    std::unique_ptr<SharedKeyStore> keys;
};

/// Two nodes that share their keys.
struct TwoKeyNodes {
    explicit TwoKeyNodes(const std::string& topic)
        : a(topic, folder / "master.key"), b(topic, folder / "master.key") {}
    void open() {
        a.open();
        b.open();
    }
    TempFolder folder;
    KeyNode a;
    KeyNode b;
};

}  // namespace bos::eventstore::test
