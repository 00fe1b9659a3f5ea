// Disk: the data directory of one replica as an operating system and a drive would keep it. Files have a view (page cache: what
// reads see) and a durable image (what is left after the power went); names have both too. Pure bytes: no time, no draws of its
// own.
//
// Durability is tracked per 512-byte sector by an undo list: the view is stored once, and every sector that differs from the
// durable image keeps its old content until a sync. A sync that fails drops the dirty data: reads still show it, but no later
// sync makes it durable unless it is written again [Rebello et al., ATC 2020].
#ifndef BRAMAH_SIM_DISK_DISK_H_
#define BRAMAH_SIM_DISK_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/files.h"

namespace bramah::sim {

inline constexpr uint64_t kSectorBytes = 512;

// What becomes of unsynced things when the power goes; draws are keyed by `entity`, `crash` and what they are about.
struct CrashRules {
  uint64_t seed = 0;
  uint64_t entity = 0;  // process
  uint64_t crash = 0;   // ordinal of the crash of this process
  uint32_t lost_ppm = 0;  // a sector keeps its durable content; a size or a directory operation never happened
  uint32_t torn_ppm = 0;  // a sector holds garbage
};

class Disk {
 public:
  // Carries out one operation against the page cache; kRead appends to `reads`. An error (a file that does not exist, for one)
  // changes nothing.
  std::optional<DiskError> Apply(const FileOp& op, std::vector<Blob>* reads);
  // The first `length` bytes of a kWrite: its process died in the middle.
  void ApplyPrefix(const FileOp& op, uint64_t length);
  // Carries out a kSyncData or kSyncDir that fails: what was dirty will never be durable.
  void FailSync(const FileOp& op);
  // Whether `op` needs space that is not allocated yet.
  bool Grows(const FileOp& op) const;

  // The power goes: unsynced sectors are lost, kept or torn, unsynced directory operations lost or kept; the view is what is
  // left.
  void CrashMachine(const CrashRules& rules);
  // Flips one stored bit chosen by `choice`, among those that were synced long enough ago that a correct log can tell rot from a
  // torn tail: two syncs of the file ago. Returns what was flipped, or nothing if no such bit exists.
  std::optional<std::string> FlipBit(uint64_t choice);
  // An operator empties the directory.
  void Wipe();

  // The files of the view, by id.
  std::vector<FileInfo> List() const;
  // Contents as reads see them; nothing if there is no such file.
  std::optional<std::string> View(FileId file) const;
  // Contents that a machine crash cannot take away; nothing if the name itself is not durable.
  std::optional<std::string> Durable(FileId file) const;

 private:
  // Mostly the beginning of a sector is written and the rest stays as kZeroFill left it, so only the beginning is stored.
  struct Sector {
    std::string bytes;                 // zeros follow
    uint32_t written_before_sync = 0;  // number of the first sync after its last write; 0: never written
  };
  struct Undo {
    uint64_t sector;
    std::string old;  // as in Sector
  };
  // Sorted by sector.
  using UndoList = std::vector<Undo>;
  struct Inode {
    uint64_t size = 0;
    uint64_t durable_size = 0;
    uint32_t syncs = 0;                        // completed
    std::vector<Sector> sectors;               // zeros follow
    UndoList dirty;                            // the next sync makes these durable
    UndoList dropped;                          // a failed sync gave these up
  };
  using InodeRef = std::shared_ptr<Inode>;
  using Names = std::map<FileId, InodeRef>;
  // A change of names that is not durable yet.
  struct Pending {
    FileOp::Kind kind;
    FileId file;
    FileId to;
    InodeRef inode;
  };

  static void Write(Inode& inode, uint64_t offset, std::string_view bytes);
  static Sector& Touch(Inode& inode, uint64_t number);
  static void Sync(Inode& inode);
  static void FailSync(Inode& inode);
  static void CopyOut(const Inode& inode, uint64_t offset, uint64_t length, char* to);
  static Blob Read(const Inode& inode, uint64_t offset, uint64_t length);
  static void Truncate(Inode& inode, uint64_t size);
  static void CrashInode(Inode& inode, FileId file, const CrashRules& rules);
  static void ApplyName(Names& names, const Pending& change);
  void ChangeName(FileOp::Kind kind, FileId file, FileId to, InodeRef inode);
  Inode* Find(FileId file) const;

  // What Find found last: most operations are about the file of the one before. Forgotten whenever names of the view change.
  struct Found {
    FileId file;
    Inode* inode = nullptr;
  };

  Names view_;
  mutable Found latest_;
  Names durable_;
  std::vector<Pending> pending_;
};

}  // namespace bramah::sim

#endif  // BRAMAH_SIM_DISK_DISK_H_
