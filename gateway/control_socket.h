#pragma once

#include "schemas/base/result.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

namespace bos::gateway {

/// Says how something that takes long goes on, in a line for people.
using Tell = std::function<void(std::string_view line)>;

/// How the owner of a data folder speaks with the process that serves it: <data>/control.sock, mode
/// 0600. Who may open the folder may give these orders; no key of a tenant can. One order for each
/// connection, one after the other:
///
///     {"do":"promote", …}      ->
///                              <-  {"tell":"acme: 120000 records"}     any number of them
///                              <-  {"done":true}                       or {"error":"…"}
///
/// {"do":"settle"}: what is in a replica's memory alone goes to its files, for who reads them.
class ControlSocket {
  public:
    /// Runs on: the socket's thread.
    using Order = std::function<Result<void>(const boost::json::object& order, const Tell& tell)>;

    /// Listens at once. Errors: unavailable.
    [[nodiscard]] static Result<std::unique_ptr<ControlSocket>> open(
        const std::filesystem::path& data, Order order);
    /// Waits for the order under way.
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

  private:
    ControlSocket(std::filesystem::path path, Order order, int listener, int stop);

    void run();
    void serve(int connection);

    const std::filesystem::path path_;
    const Order order_;
    const int listener_;
    const int stop_;  ///< an eventfd: written to when it is time to end
    std::thread thread_;
};

/// Gives an order to the process that serves the folder, and waits for its end; `patience`: for as
/// long without a line of it. Errors: not_found = nobody serves it; unavailable = nothing is known
/// of the order any more; those of the order.
[[nodiscard]] Result<void> give_order(const std::filesystem::path& data,
                                      const boost::json::object& order, const Tell& tell,
                                      std::optional<std::chrono::seconds> patience = {});

}  // namespace bos::gateway
