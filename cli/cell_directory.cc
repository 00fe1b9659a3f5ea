#include "cli/cell_directory.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "net_real/endpoint.h"
#include "nlohmann/json.hpp"

namespace bramah::cli {
namespace {

using net_real::Failure;
namespace fs = std::filesystem;

constexpr uint32_t kDefaultReplicas = 5;

Failure CannotWrite(const std::string& path, const std::string& why) {
  return {net_real::kExitDirectory, "bad_directory", "cannot use " + path + ": " + why, "pass a --dir that this user may write"};
}

// Ports that are free now. All stay bound until the last is found, so that they differ. Empty if the machine has none.
std::vector<std::string> FreeEndpoints(uint32_t count) {
  std::vector<int> sockets;
  std::vector<std::string> endpoints;
  for (uint32_t i = 0; i < count; ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    sockets.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(sockets.back(), reinterpret_cast<sockaddr*>(&address), size) != 0) break;
    if (getsockname(sockets.back(), reinterpret_cast<sockaddr*>(&address), &size) != 0) break;
    endpoints.push_back("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  }
  for (const int fd : sockets) close(fd);
  if (endpoints.size() != count) endpoints.clear();
  return endpoints;
}

std::optional<CellPlan> ParsePlan(const std::string& path) {
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("cell") || !json["cell"].is_string() || !json.contains("endpoints") ||
      !json["endpoints"].is_array()) {
    return std::nullopt;
  }
  CellPlan plan;
  plan.name = json["cell"].get<std::string>();
  for (const auto& endpoint : json["endpoints"]) {
    if (!endpoint.is_string() || !net_real::ParseEndpoint(endpoint.get<std::string>()).has_value()) return std::nullopt;
    plan.endpoints.push_back(endpoint.get<std::string>());
  }
  plan.served = json.value("served", nlohmann::json(false)) == true;
  return plan.endpoints.empty() ? std::nullopt : std::optional(plan);
}

}  // namespace

CellDirectory::~CellDirectory() {
  std::error_code ignored;
  if (temporary_) fs::remove_all(path_, ignored);
  if (lock_ >= 0) close(lock_);
}

std::optional<Failure> CellDirectory::Open(const std::string& path, const std::string& name, uint32_t replicas) {
  std::error_code error;
  if (path.empty()) {
    const fs::path scratch = fs::temp_directory_path(error);
    if (error) return CannotWrite("the directory for temporary files, $TMPDIR or /tmp", error.message());
    std::string pattern = scratch.string() + "/bramah-cell-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) return CannotWrite(pattern, std::strerror(errno));
    path_ = pattern;
    temporary_ = true;
    return Create(name, replicas);
  }
  path_ = path;
  std::error_code made;
  fs::create_directory(path_, made);
  if (!fs::is_directory(path_, error)) return CannotWrite(path_, made ? made.message() : "it is no directory");
  if (auto failure = Lock()) return failure;
  if (fs::exists(path_ + "/cell.json", error)) return Load(name, replicas);
  if (!fs::is_empty(path_, error)) {
    return Failure{net_real::kExitDirectory, "foreign_directory", path_ + " has files but no cell.json",
                   "pass an empty or new --dir"};
  }
  return Create(name, replicas);
}

std::optional<Failure> CellDirectory::Lock() {
  lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) return CannotWrite(path_, std::strerror(errno));
  if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return std::nullopt;
  if (errno != EWOULDBLOCK) return CannotWrite(path_, std::strerror(errno));
  return Failure{net_real::kExitDirectory, "directory_in_use", "another process runs the cell in " + path_,
                 "stop that process, or pass another --dir"};
}

std::optional<Failure> CellDirectory::Create(const std::string& name, uint32_t replicas) {
  plan_.name = name.empty() ? "demo" : name;
  plan_.endpoints = FreeEndpoints(replicas == 0 ? kDefaultReplicas : replicas);
  if (plan_.endpoints.empty())
    return Failure{net_real::kExitConfig, "no_ports", "no free loopback ports", "stop what uses them, or lower -n"};
  return Save();
}

std::optional<Failure> CellDirectory::NoteServed() {
  if (std::exchange(plan_.served, true)) return std::nullopt;
  return Save();
}

std::optional<Failure> CellDirectory::Save() const {
  const nlohmann::ordered_json json = {{"cell", plan_.name}, {"endpoints", plan_.endpoints}, {"served", plan_.served}};
  std::ofstream file(path_ + "/cell.json.tmp");
  file << json.dump(2) << "\n";
  file.close();
  std::error_code error;
  if (file) fs::rename(path_ + "/cell.json.tmp", path_ + "/cell.json", error);
  if (!file || error) return CannotWrite(path_ + "/cell.json", error ? error.message() : std::strerror(errno));
  return std::nullopt;
}

std::optional<Failure> CellDirectory::Load(const std::string& name, uint32_t replicas) {
  const std::optional<CellPlan> plan = ParsePlan(path_ + "/cell.json");
  if (!plan.has_value()) {
    return Failure{net_real::kExitDirectory, "bad_directory", path_ + "/cell.json cannot be read",
                   "repair it, or pass a new --dir"};
  }
  if ((!name.empty() && name != plan->name) || (replicas != 0 && replicas != plan->endpoints.size())) {
    return Failure{net_real::kExitDirectory, "foreign_directory",
                   path_ + " holds cell '" + plan->name + "' of " + std::to_string(plan->endpoints.size()) + " replicas",
                   "leave out --name and -n, or pass another --dir"};
  }
  plan_ = *plan;
  const size_t all = plan_.endpoints.size();
  std::string lost;
  size_t kept = all;
  for (size_t id = 1; id <= all; ++id) {
    if (!FindLost(id).has_value()) continue;
    lost += (lost.empty() ? "" : ", ") + ReplicaPath(id);
    --kept;
  }
  if (kept > all / 2) return std::nullopt;
  return Failure{net_real::kExitDirectory, "lost_replica",
                 "only " + std::to_string(kept) + " of " + std::to_string(all) + " replicas are left: no identity in " + lost,
                 "put that back, or begin a new cell in another --dir"};
}

std::optional<Failure> CellDirectory::FindLost(size_t id) const {
  std::error_code error;
  if (!plan_.served || fs::exists(ReplicaPath(id) + "/identity", error)) return std::nullopt;
  return Failure{net_real::kExitDirectory, "lost_replica",
                 "replica " + std::to_string(id) + " stays down: no identity in " + ReplicaPath(id) +
                     ", and a blank replica would not know what this one has promised",
                 "put its directory back and start the cell again"};
}

}  // namespace bramah::cli
