#include "sim/check/checker_ids.h"

#include <algorithm>
#include <iterator>

namespace bramah::sim {
namespace {

constexpr CheckerInfo kCheckers[] = {
    {"raft.election_safety", "a term has one leader, with a majority of votes, and a voter one candidate"},
    {"raft.leader_append_only", "a leader never rewrites its own log"},
    {"raft.log_matching", "logs that share an entry share all before it"},
    {"raft.leader_completeness", "a leader has every entry that was committed in an earlier term"},
    {"raft.state_machine_safety", "no two replicas apply different entries at one index"},
    {"raft.commit_monotonic", "the commit index never falls and never passes the log"},
    {"raft.durable_before_ack", "what a message promises is on the disk before it leaves"},
    {"raft.authority_overlap", "no two replicas have the authority to answer at one instant"},
    {"state.digest", "replicas that have applied the same entries are in the same state"},
    {"trace.repeatable", "the same plan runs the same way twice"},
    {"core.check", "no check in the code fails, and no run ends in a crash"},
    {"resource.bounded", "a run stays within its bounds of steps per instant and per second"},
    {"lock.mutual_exclusion", "a lock has one holder for each permit, and its holders have sessions"},
    {"lock.two_believers", "no two clients believe in conflicting locks at one instant"},
    {"lock.generation", "a generation rises exactly when a lock goes from free to held"},
    {"lock.delay", "a lost lock goes to nobody before its lock-delay is over"},
    {"lock.fifo", "who holds a lock came before who waits for it"},
    {"sequencer.fencing", "a resource that knows the highest token never acts for a former holder"},
    {"session.lease_order", "no session ends before the local lease of its client"},
    {"session.exactly_once", "a numbered call takes effect at most once"},
    {"session.epoch_fence", "nothing that was meant for an earlier master takes effect after a later one began"},
    {"session.suffix_loss", "of the calls of a session those from one on fail, and none between"},
    {"ephemeral.lifetime", "an ephemeral node exists exactly while something refers to it"},
    {"handle.instance", "a handle acts on the instance that it was opened on, and for its session only"},
    {"acl.enforced", "no handle has a right that the access control lists did not give"},
    {"cache.no_stale_read", "what a client would answer from its cache is what the newest state says"},
    {"cache.write_wait", "no write waits for a cache for longer than a lease"},
    {"event.order", "what an application was told of has happened, and is told once and in order"},
    {"event.delivery", "in the end nothing that was to be told is missing"},
    {"read.stale", "a stale read shows the state of the entry that it names, and nobody goes back"},
    {"history.reply", "an answer is possible for what was asked"},
    {"history.linearizable", "the calls on a path can be put in one order that explains all answers"},
    {"liveness.progress", "without faults a master serves in time and every call is answered"},
    {"liveness.drain", "without faults everybody applies the same, and sessions of clients that are gone end"},
};

}  // namespace

absl::Span<const CheckerInfo> KnownCheckers() { return kCheckers; }

bool IsChecker(std::string_view id) {
  return std::any_of(std::begin(kCheckers), std::end(kCheckers), [id](const CheckerInfo& known) { return known.id == id; });
}

bool MayBeIgnored(std::string_view id) { return id != "core.check" && id != "resource.bounded"; }

}  // namespace bramah::sim
