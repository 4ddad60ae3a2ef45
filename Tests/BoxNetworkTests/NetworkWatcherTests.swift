import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Wire

@testable import BoxNetwork

/// The watcher in a network namespace of its own, where addresses come and go for real.
@Suite(.enabled(if: geteuid() == 0, "only root may make network namespaces"), .timeLimit(.minutes(1)))
struct NetworkWatcherTests {
    @Test func addressesThatComeAndGoAreSeen() async throws {
        try await inNetworkNamespace {
            try ip("link set lo up")
            try ip("link add lan0 type veth peer name far0")
            try ip("link set far0 up")
            let changes = Changes()
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            defer { try? group.syncShutdownGracefully() }
            let watcher = try NetworkWatcher(on: group.next(), logger: Logger(label: "test")) { changes.add($0) }
            #expect(watcher.network == .loopback)

            try ip("address add 192.168.77.5/24 dev lan0")
            try ip("link set lan0 up")
            let first = try #require(changes.wait { $0.addresses.map(\.address) == [.v4(0xC0A8_4D05)] })
            #expect(first.addresses.map(\.description) == ["192.168.77.5/24 on lan0"])
            #expect(first.isNeighbour(.v4(0xC0A8_4D63)))
            #expect(watcher.network.addresses == first.addresses)

            // A default route moves its interface to the front.
            try ip("link add wan0 type veth peer name wan1")
            try ip("address add 10.1.1.5/24 dev wan0")
            try ip("link set wan1 up")
            try ip("link set wan0 up")
            #expect(changes.wait { $0.addresses.map(\.interface) == ["lan0", "wan0"] } != nil)
            try ip("route add default via 10.1.1.1 dev wan0")
            #expect(changes.wait { $0.addresses.map(\.interface) == ["wan0", "lan0"] } != nil)

            try ip("address add 2001:db8:7::5/64 dev lan0 nodad")
            #expect(changes.wait { $0.isNeighbour(.v6(0x2001_0DB8_0007_0000, 9)) } != nil)

            // The far side's link down: no carrier.
            try ip("link set wan1 down")
            #expect(changes.wait { $0.addresses.map(\.interface) == ["lan0"] } != nil)
            try ip("address delete 192.168.77.5/24 dev lan0")
            #expect(changes.wait { $0.addresses == LocalNetwork.loopback.addresses } != nil)

            try watcher.stop().wait()
            let count = changes.count
            try ip("address add 192.168.77.6/24 dev lan0")
            usleep(400_000)
            #expect(changes.count == count)
        }
    }

    @Test func aBurstIsReadOnceAndMessagesLostToItCostNothing() async throws {
        try await inNetworkNamespace {
            try ip("link set lo up")
            try ip("link add lan0 type veth peer name far0")
            try ip("link set far0 up")
            try ip("link set lan0 up")
            let changes = Changes()
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            defer { try? group.syncShutdownGracefully() }
            let loop = group.next()
            let watcher = try NetworkWatcher(on: loop, logger: Logger(label: "test")) { changes.add($0) }
            usleep(600_000)
            let before = changes.count
            // Hold the loop, so that the socket's buffer overflows and its channel fails.
            let burst = (0..<2000).flatMap {
                let address = "10.9.\($0 / 250).\($0 % 250 + 1)/16"
                return ["address add \(address) dev lan0", "address delete \(address) dev lan0"]
            }
            let held = DispatchSemaphore(value: 0)
            loop.execute { held.wait() }
            try ip(batch: burst + ["address add 192.168.77.4/24 dev lan0"])
            held.signal()
            #expect(changes.wait { $0.addresses.map(\.address) == [.v4(0xC0A8_4D04)] } != nil)
            #expect(changes.count - before <= 3)
            // Still watching after that.
            try ip("address add 192.168.77.5/24 dev lan0")
            #expect(changes.wait { $0.addresses.count == 2 } != nil)
            try watcher.stop().wait()
        }
    }

    @Test func nothingIsDoneWhileNothingChanges() async throws {
        try await inNetworkNamespace {
            try ip("link set lo up")
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            defer { try? group.syncShutdownGracefully() }
            let loop = group.next()
            let watcher = try NetworkWatcher(on: loop, logger: Logger(label: "test")) { _ in }
            usleep(500_000)
            func processorTime() throws -> Int {
                try loop.submit {
                    var time = timespec()
                    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
                    return time.tv_sec * 1_000_000_000 + time.tv_nsec
                }.wait()
            }
            let before = try processorTime()
            sleep(1)
            // The measuring itself costs some 100 µs here; a loop that spins would show a second.
            #expect(try processorTime() - before < 20_000_000)
            try watcher.stop().wait()
        }
    }
}

/// What the watcher said.
private final class Changes: Sendable {
    private let list = Mutex<[LocalNetwork]>([])
    func add(_ network: LocalNetwork) { list.withLock { $0.append(network) } }
    var count: Int { list.withLock { $0.count } }

    /// The last change, once it is as wanted; nil after 10 s.
    func wait(until isWanted: (LocalNetwork) -> Bool) -> LocalNetwork? {
        for _ in 0..<500 {
            if let last = list.withLock({ $0.last }), isWanted(last) { return last }
            usleep(20_000)
        }
        return nil
    }
}

/// Runs `body` on a thread in a new network namespace; what it starts, threads and processes, is in there too.
private func inNetworkNamespace(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread {
            continuation.resume(
                with: Result {
                    // unshare(2) is not in Swift's module of the C library.
                    typealias Unshare = @convention(c) (Int32) -> Int32
                    let unshare = unsafeBitCast(try #require(dlsym(nil, "unshare")), to: Unshare.self)
                    guard unshare(0x4000_0000 /* CLONE_NEWNET */) == 0 else {
                        throw NetworkError(operation: "make a network namespace", code: errno)
                    }
                    try body()
                })
        }
    }
}

private func ip(_ arguments: String) throws { try ip(batch: [arguments]) }

/// Not by Foundation's `Process`: its run loop needs a loopback interface that is up.
private func ip(batch lines: [String]) throws {
    let pipe = try #require(popen("ip -batch -", "w"))
    fputs(lines.joined(separator: "\n") + "\n", pipe)
    #expect(pclose(pipe) == 0, "ip \(lines[0])")
}
