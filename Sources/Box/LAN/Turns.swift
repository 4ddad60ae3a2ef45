import Synchronization

/// Runs one piece of work after the other, in the order in which they came.
final class Turns: Sendable {
    private let last = Mutex<Task<Void, Never>?>(nil)

    func take<Result: Sendable>(_ work: @escaping @Sendable () async -> Result) async -> Result {
        let mine = last.withLock { last in
            let former = last
            let task = Task {
                await former?.value
                return await work()
            }
            last = Task { _ = await task.value }
            return task
        }
        return await mine.value
    }
}
