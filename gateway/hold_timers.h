#pragma once

#include "gateway/node.h"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace bos::gateway {

/// Ends the holds whose time has come: asks the view of holds once a second and sends the command
/// that a person would send, under a key made of the lead and its hold, so that it happens once
/// however often it is tried and on whichever node. A clock that jumps ahead resumes them in the
/// order of their times.
class HoldTimers {
  public:
    /// `owns`: whether commands of a tenant are decided here; other nodes look after the others.
    HoldTimers(boost::asio::any_io_executor executor, Node& node,
               std::function<bool(const TenantId&)> owns);
    ~HoldTimers();
    /// At most once.
    void start();
    /// No command is sent after it returns. Thread-safe; idempotent.
    void stop();

  private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace bos::gateway
