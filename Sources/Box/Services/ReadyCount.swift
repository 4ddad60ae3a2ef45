import Synchronization

/// Calls its action once, when the last of a number of parts is ready.
final class ReadyCount: Sendable {
    private let missing: Mutex<Int>
    private let action: @Sendable () -> Void

    init(of parts: Int, action: @escaping @Sendable () -> Void) {
        missing = Mutex(parts)
        self.action = action
    }

    /// One more part is ready.
    func one() {
        let isLast = missing.withLock { missing in
            missing -= 1
            return missing == 0
        }
        if isLast { action() }
    }
}
