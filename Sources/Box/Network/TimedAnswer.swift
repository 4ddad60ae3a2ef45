import Synchronization

/// Waits for an answer of something that may never give one, such as a thread that a device keeps in the kernel.
/// - Parameters:
///   - limit: how long.
///   - ask: asks. Its argument takes the answer, once, on any thread; it returns whether somebody still waited for it.
/// - Returns: the answer; nil: there was none in time. Comes when the time is over even where the task is cancelled.
public func answer<Value: Sendable>(
    within limit: Duration, _ ask: (_ give: @escaping @Sendable (Value) -> Bool) -> Void
) async -> Value? {
    let desk = Desk<Value>()
    // A task of its own: that of the caller may be cancelled, and would not wait at all.
    let timer = Task {
        try? await Task.sleep(for: limit)
        _ = desk.give(nil)
    }
    defer { timer.cancel() }
    return await withCheckedContinuation { continuation in
        guard desk.open(continuation) else { return }
        ask { desk.give($0) }
    }
}

/// Where the first answer counts.
private final class Desk<Value: Sendable>: Sendable {
    private enum State {
        case closed
        case open(CheckedContinuation<Value?, Never>)
        case served
    }
    private let state = Mutex(State.closed)

    /// - Returns: false when the time is over already.
    func open(_ continuation: CheckedContinuation<Value?, Never>) -> Bool {
        let isOpen = state.withLock { state in
            guard case .closed = state else { return false }
            state = .open(continuation)
            return true
        }
        if !isOpen { continuation.resume(returning: nil) }
        return isOpen
    }

    func give(_ value: Value?) -> Bool {
        let waiting: CheckedContinuation<Value?, Never>? = state.withLock { state in
            defer { state = .served }
            guard case .open(let waiting) = state else { return nil }
            return waiting
        }
        waiting?.resume(returning: value)
        return waiting != nil
    }
}
