import BoxState
import Hub
import Logging
import Synchronization

/// Which ids the hub may give out, on the disk: each start begins above those that earlier ones set aside.
///
/// Every method may be called from any thread.
final class HubIDs: Sendable {
    private static let file = "hub-ids"
    /// No count gets that far; clients count exactly up to 2^53.
    private static let highest: Int64 = 1 << 52

    private struct Count {
        /// The highest id that is on the disk.
        var stored: Int64
        /// The highest that is to be.
        var wanted: Int64
        var isStoring = false
    }

    private let state: StateDirectory
    private let logger: Logger
    private let retryAfter: Duration
    private let count: Mutex<Count>

    /// Reads the count.
    /// - Parameters:
    ///   - state: where it is kept.
    ///   - logger: where to log what can't be read or written.
    ///   - retryAfter: how long to wait after a write that failed.
    init(in state: StateDirectory, logger: Logger, retryAfter: Duration = .seconds(10)) throws(StateError) {
        self.state = state
        self.logger = logger
        self.retryAfter = retryAfter
        var last: Int64 = 0
        if let text = try state.read(Self.file) {
            if let number = Self.number(in: text) {
                last = number
            } else {
                // Far above whatever a resume token names: a newcomer must not get the id of somebody who comes back.
                last = .random(in: 1 << 32..<1 << 48)
                logger.error("hub-ids can't be read; the hub counts on from \(last)")
            }
        }
        count = Mutex(Count(stored: last, wanted: last))
    }

    private static func number(in text: [UInt8]) -> Int64? {
        let digits = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
        guard let number = Int64(String(decoding: digits, as: UTF8.self)), 0...highest ~= number else { return nil }
        return number
    }

    /// Sets aside the ids of this start.
    func first() throws(StateError) -> ClosedRange<Int64> {
        try count.withLock { count throws(StateError) in
            let first = count.stored + 1
            let last = first + Hub.Limits().idReserve
            try write(last)
            count.stored = last
            count.wanted = max(count.wanted, last)
            return first...last
        }
    }

    /// Sets aside more of them, in its own time: durable writing takes long. A write that fails is tried again until it is
    /// done, or else the next start would give the same ids to others.
    func reserve(through id: Int64) {
        let mustBegin = count.withLock { count in
            guard id > count.wanted else { return false }
            count.wanted = id
            defer { count.isStoring = true }
            return !count.isStoring
        }
        guard mustBegin else { return }
        Task { [weak self, retryAfter] in
            while self?.isDone() == false { try? await Task.sleep(for: retryAfter) }
        }
    }

    /// Writes what is wanted, and says whether nothing is left to write. Not under the lock: the event loop takes it.
    private func isDone() -> Bool {
        while true {
            let last = count.withLock { $0.wanted }
            do {
                try write(last)
            } catch {
                logger.error("the hub's ids, to be tried again: \(error)")
                return false
            }
            let isDone = count.withLock { count in
                count.stored = max(count.stored, last)
                count.isStoring = count.stored < count.wanted
                return !count.isStoring
            }
            if isDone { return true }
        }
    }

    private func write(_ last: Int64) throws(StateError) {
        try state.write(Array("\(last)\n".utf8), to: Self.file)
    }
}
