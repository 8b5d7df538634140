// SPDX-License-Identifier: Apache-2.0
// A delivery core with a spool whose disk is a map.
#pragma once

#include <map>

#include "unit/delivery/fixture.hpp"

namespace shardgate::testing {

class spool_fixture : public delivery_fixture {
protected:
    spool_fixture() { queue.overflow = config::overflow_policy::spill; }

    void open(const spool_contents& contents = {}) {
        make();
        core->restore(contents, now, wall());
    }
    // One batch, from the core to the disk.
    spool_changes write(bool everything = false) {
        const spool_changes batch = core->next_changes(everything, now, wall());
        if (batch.empty()) return batch;
        for (const spool_row& row : batch.rows)
            disk[row.position] = row;
        for (const std::uint64_t position : batch.done)
            disk.erase(position);
        core->on_changes_stored(now);
        return batch;
    }
    void read() {
        while (const auto what = core->next_read(now)) {
            std::vector<spool_row> rows;
            for (const auto& [position, row] : disk)
                if (row.lane == what->lane && position >= what->from && rows.size() < what->rows)
                    rows.push_back(row);
            core->on_read(what->lane, true, rows, now);
        }
    }
    // What a process after this one finds.
    [[nodiscard]] spool_contents contents() const {
        spool_contents c;
        std::map<std::uint64_t, spool_lane> lanes;
        std::map<std::uint64_t, std::uint64_t> epochs;
        for (const auto& [position, row] : disk) {
            c.last_position = position;
            ++c.rows;
            c.bytes += row.event->weight();
            ++c.by_class[static_cast<std::size_t>(shed_class_of(row.event->event))];
            spool_lane& l = lanes[row.lane.id];
            if (l.rows++ == 0) l.lane = row.lane, l.first = position;
            ++epochs[row.epoch];
        }
        for (const auto& [id, l] : lanes)
            c.lanes.push_back(l);
        for (const auto& [epoch, n] : epochs)
            c.epochs.push_back({generation{1}, shard_id{0}, epoch, n});
        return c;
    }
    [[nodiscard]] std::uint64_t unsafe(bool after_batch = false) const {
        const auto seq = core->first_unsafe(generation{1}, shard_id{0}, after_batch);
        return seq ? seq->value : 0;
    }

    std::map<std::uint64_t, spool_row> disk;
};

}  // namespace shardgate::testing
