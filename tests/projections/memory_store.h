#pragma once

#include "projections/view_store.h"

#include <doctest/doctest.h>
#include <rocksdb/env.h>

#include <memory>

namespace bos::projections {

inline const TenantId acme = *TenantId::parse("acme");
inline const TenantId other_tenant = *TenantId::parse("acme-2");

/// A store in memory that can be closed and opened again.
class MemoryStore {
  public:
    MemoryStore() : env_(rocksdb::NewMemEnv(rocksdb::Env::Default())) { reopen(); }

    void reopen() {
        store_.reset();
        auto opened = ViewStore::open(options());
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
        store_ = *std::move(opened);
    }
    [[nodiscard]] ViewStoreOptions options() const {
        return {.path = "/views",
                .env = env_.get(),
                .cache_bytes = 1 << 20,
                .write_buffer_bytes = 1 << 16};
    }
    void close() { store_.reset(); }
    ViewStore& operator*() const { return *store_; }
    ViewStore* operator->() const { return store_.get(); }
    [[nodiscard]] rocksdb::Env* env() const { return env_.get(); }

  private:
    std::unique_ptr<rocksdb::Env> env_;
    std::unique_ptr<ViewStore> store_;
};

/// Makes empty views live, as the runner does for a tenant without commits.
inline void make_live(ViewStore& store, const TenantId& tenant, std::vector<std::uint16_t> views) {
    std::vector<Generation> built;
    for (const std::uint16_t view : views) built.push_back(*store.start_building(tenant, view, 1));
    REQUIRE(store.go_live(tenant, built, Position{0}).has_value());
}

}  // namespace bos::projections
