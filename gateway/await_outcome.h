#pragma once

#include "schemas/base/result.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace bos::gateway {

/// Calls `start` with a callback, and goes on with what that is called with: on the coroutine's own
/// executor, whichever thread calls it.
template <class Start>
[[nodiscard]] boost::asio::awaitable<Result<void>> await_outcome(Start start) {
    using Done = std::move_only_function<void(Result<void>)>;
    namespace asio = boost::asio;
    const auto initiate = [&start](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start(Done([shared](Result<void> outcome) {
            asio::post(
                asio::get_associated_executor(*shared),
                [shared, told = std::move(outcome)]() mutable { (*shared)(std::move(told)); });
        }));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
        initiate, asio::use_awaitable);
}

}  // namespace bos::gateway
