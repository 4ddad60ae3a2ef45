import BoxNetwork
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite struct TimedAnswerTests {
    @Test func theFirstAnswerCounts() async {
        let wasInTime = Mutex([Bool]())
        let value = await answer(within: .seconds(30)) { (give: @escaping @Sendable (Int) -> Bool) in
            for number in 1...2 {
                let isInTime = give(number)
                wasInTime.withLock { $0.append(isInTime) }
            }
        }
        #expect(value == 1 && wasInTime.withLock { $0 } == [true, false])
    }

    @Test("a thread that a device keeps holds up nobody, and what it says late is known to be late")
    func late() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let stuck = Door()
        let wasLate = Mutex<Bool?>(nil)
        stuck.close()
        let value = await answer(within: .milliseconds(50)) { (give: @escaping @Sendable (Int) -> Bool) in
            group.next().execute {
                stuck.pass()
                let isInTime = give(1)
                wasLate.withLock { $0 = !isInTime }
            }
        }
        #expect(value == nil)
        stuck.open()
        try await group.shutdownGracefully()
        #expect(wasLate.withLock { $0 } == true)
    }

    @Test("it waits in a task that is cancelled too")
    func cancelled() async {
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await answer(within: .seconds(30)) { (give: @escaping @Sendable (Int) -> Bool) in
                Task {
                    try await Task.sleep(for: .milliseconds(50))
                    _ = give(3)
                }
            }
        }
        task.cancel()
        #expect(await task.value == 3)
    }
}

/// A door that a thread may stand before.
private final class Door: Sendable {
    private let isOpen = Mutex(true)
    func close() { isOpen.withLock { $0 = false } }
    func open() { isOpen.withLock { $0 = true } }
    func pass() { while !isOpen.withLock({ $0 }) {} }
}
