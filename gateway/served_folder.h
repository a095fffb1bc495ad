#pragma once

#include "gateway/control_socket.h"
#include "gateway/gate.h"
#include "gateway/serving.h"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bos::gateway {

/// A data folder as a process serves it: behind a gate that closes for a moment when its log moves
/// to Kafka.
class ServedFolder {
  public:
    ServedFolder(ServingOptions options, Metrics& metrics, Clock& clock, Random& random);
    ~ServedFolder();
    ServedFolder(const ServedFolder&) = delete;
    ServedFolder& operator=(const ServedFolder&) = delete;

    /// Errors: as Serving::open.
    [[nodiscard]] Result<void> open();
    /// Before the first request; see Serving::start. From now on the folder's control socket takes
    /// what its owner asks for (`bos promote`, `bos log`).
    [[nodiscard]] Result<void> start(std::vector<boost::asio::any_io_executor> threads,
                                     std::string address);
    [[nodiscard]] boost::asio::awaitable<Response> handle(Request request) {
        return gate_.handle(std::move(request));
    }
    /// Takes nothing more from the control socket, waits for what is under way, and gives the
    /// shards to other nodes.
    void leave(std::chrono::milliseconds most);
    /// When the threads of requests have stopped, before they go. False when the deadline cut it
    /// short.
    bool stop(std::chrono::milliseconds deadline);

    /// Moves the embedded log to Kafka while it is served: copies, catches up, holds requests back
    /// for the rest, compares the heads, and goes on with the topics. Requests wait meanwhile, none
    /// is refused. After an error the embedded log is served as before. Blocks; one at a time.
    /// Errors: invalid = the log is on Kafka; those of copy_tenant, KafkaLog and Serving.
    [[nodiscard]] Result<void> promote(const KafkaCluster& kafka, const Tell& tell);

  private:
    [[nodiscard]] Result<void> copy_beside(const KafkaCluster& kafka, const Tell& tell);
    [[nodiscard]] Result<void> copy_rest_and_switch(const KafkaCluster& kafka, const Tell& tell);
    [[nodiscard]] Result<void> serve_from(const KafkaCluster& kafka);

    ServingOptions options_;
    Metrics& metrics_;
    Clock& clock_;
    Random& random_;
    std::vector<boost::asio::any_io_executor> threads_;
    std::string address_;
    Gate gate_;
    std::unique_ptr<Serving> serving_;
    std::unique_ptr<ControlSocket> control_;
};

}  // namespace bos::gateway
