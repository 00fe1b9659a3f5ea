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
  // there, or if the cell has served and a replica has no directory any more: with blank ones a majority would know nothing of
  // what the others keep.
  std::optional<net_real::Failure> Open(const std::string& path, const std::string& name, uint32_t replicas);

  // The cell serves: remembered before anybody is told. Does nothing a second time.
  std::optional<net_real::Failure> NoteServed();

  const std::string& path() const { return path_; }
  const CellPlan& plan() const { return plan_; }
  std::string ReplicaPath(size_t id) const { return path_ + "/r" + std::to_string(id); }

 private:
  std::optional<net_real::Failure> Create(const std::string& name, uint32_t replicas);
  std::optional<net_real::Failure> Save() const;
  std::optional<net_real::Failure> Load(const std::string& name, uint32_t replicas);

  std::string path_;
  bool temporary_ = false;
  CellPlan plan_;
};

}  // namespace bramah::cli

#endif  // BRAMAH_CLI_CELL_DIRECTORY_H_
