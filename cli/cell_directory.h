// The directory of a cell on this machine: `cell.json` (name and members, so that a restart finds its ports; whether the cell has
// ever served, so that what a replica promised is not forgotten with its directory) and r1 .. rN.
#ifndef BRAMAH_CLI_CELL_DIRECTORY_H_
#define BRAMAH_CLI_CELL_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net_real/failure.h"

namespace bramah::cli {

struct CellPlan {
  std::string name;
  std::vector<std::string> endpoints;  // of replicas 1 .. N
  bool served = false;                 // every replica may have promised and kept something
};

class CellDirectory {
 public:
  CellDirectory() = default;
  CellDirectory(const CellDirectory&) = delete;
  // Removes a temporary directory with everything in it.
  ~CellDirectory();

  // Uses `path`, or a new temporary directory if it is empty, and fixes the plan: what the directory remembers, or `replicas` new
  // loopback ports. Zero replicas and an empty name mean "as remembered, else 5 and demo". Exit 73 if that contradicts what is
  // there, if another process has the directory open, or if so many replicas are lost that the rest are no majority.
  std::optional<net_real::Failure> Open(const std::string& path, const std::string& name, uint32_t replicas);

  // The cell serves: remembered before anybody is told. Does nothing a second time.
  std::optional<net_real::Failure> NoteServed();

  const std::string& path() const { return path_; }
  const CellPlan& plan() const { return plan_; }
  std::string ReplicaPath(size_t id) const { return path_ + "/r" + std::to_string(id); }

  // Why replica `id` must not be started: the cell has served, and nothing is there of what the replica may have promised. With a
  // blank directory it would help to elect a master that knows nothing of what was acknowledged. Exit 73.
  std::optional<net_real::Failure> FindLost(size_t id) const;

 private:
  std::optional<net_real::Failure> Create(const std::string& name, uint32_t replicas);
  std::optional<net_real::Failure> Save() const;
  std::optional<net_real::Failure> Load(const std::string& name, uint32_t replicas);
  // Held until this object or its process is gone.
  std::optional<net_real::Failure> Lock();

  std::string path_;
  int lock_ = -1;
  bool temporary_ = false;
  CellPlan plan_;
};

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_CELL_DIRECTORY_H_
