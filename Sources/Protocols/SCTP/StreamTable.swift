/// The stream sequence numbers of the streams in use: the next one to send, or the next one to deliver. A stream that isn't in
/// it is at 0. Ordered by stream; few are ever used, though 65,535 are offered.
///
/// Of outgoing streams it also says how many messages wait: whether one may be reset is asked with each packet, and to look
/// for its messages among all that wait could take longer than all else.
struct StreamTable: Sendable {
    private struct Entry: Sendable {
        let stream: UInt16
        var next: UInt16 = 0
        var queued: UInt32 = 0
    }

    private var entries: [Entry] = []

    /// Octets of memory for each stream in use.
    static let entrySize = MemoryLayout<Entry>.stride

    /// How many streams are in use.
    var count: Int { entries.count }

    /// The next sequence number of a stream.
    subscript(stream: UInt16) -> UInt16 {
        get {
            let index = position(of: stream)
            return index < entries.count && entries[index].stream == stream ? entries[index].next : 0
        }
        set {
            let index = position(of: stream)
            if index < entries.count, entries[index].stream == stream {
                entries[index].next = newValue
            } else {
                entries.insert(Entry(stream: stream, next: newValue), at: index)
            }
        }
    }

    /// Whether the stream is in use already or may be added.
    func admits(_ stream: UInt16, limit: Int) -> Bool {
        if entries.count < limit { return true }
        let index = position(of: stream)
        return index < entries.count && entries[index].stream == stream
    }

    /// Counts a message that waits; adds its stream if it isn't in use.
    mutating func enqueue(_ stream: UInt16) {
        let index = position(of: stream)
        if index == entries.count || entries[index].stream != stream {
            entries.insert(Entry(stream: stream), at: index)
        }
        entries[index].queued += 1
    }

    /// Counts a message no more.
    mutating func dequeue(_ stream: UInt16) {
        let index = position(of: stream)
        guard index < entries.count, entries[index].stream == stream, entries[index].queued > 0 else { return }
        entries[index].queued -= 1
    }

    /// Whether messages of a stream wait.
    func hasQueued(_ stream: UInt16) -> Bool {
        let index = position(of: stream)
        return index < entries.count && entries[index].stream == stream && entries[index].queued > 0
    }

    /// Puts a stream back to its beginning.
    mutating func reset(_ stream: UInt16) {
        let index = position(of: stream)
        if index < entries.count, entries[index].stream == stream { entries.remove(at: index) }
    }

    mutating func resetAll() {
        entries = []
    }

    private func position(of stream: UInt16) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].stream < stream { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
