import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import BoxNetwork

/// What a reader told, on its event loop.
private final class Log {
    var reads: [[UInt8]] = []
    var failures: [Int32] = []
    var reader: DescriptorReader?
}

/// A UDP socket of this machine, and where it is.
private struct UDP {
    let descriptor: CInt
    let name: sockaddr_in

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_NONBLOCK, 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = descriptor
        let isBound = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, length) == 0 && getsockname(number, $0, &length) == 0
            }
        }
        try #require(isBound)
        self.name = name
    }

    func connect(to other: UDP) throws {
        var name = other.name
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool { Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count }
}

@Suite(.timeLimit(.minutes(1)))
struct DescriptorReaderTests {
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    /// Waits until something holds on the loop.
    private func wait(
        _ log: NIOLoopBoundBox<Log>, _ holds: @escaping @Sendable (Log) -> Bool
    ) async throws {
        while true {
            if try await loop.submit({ holds(log.value) }).get() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func read(_ descriptor: CInt) async throws -> NIOLoopBoundBox<Log> {
        let loop = loop
        return try await loop.submit {
            let log = NIOLoopBoundBox(Log(), eventLoop: loop)
            log.value.reader = DescriptorReader(
                descriptor, capacity: 64, on: loop,
                onRead: { log.value.reads.append(Array(buffer: $0)) },
                onFailure: { log.value.failures.append($0) })
            return log
        }.get()
    }

    @Test func `each read is one message, whole and in order`() async throws {
        let near = try UDP()
        let far = try UDP()
        defer {
            close(near.descriptor)
            close(far.descriptor)
        }
        try far.connect(to: near)
        let log = try await read(near.descriptor)
        for number in 0..<40 as Range<UInt8> { far.send([number, 1, 2]) }
        try await wait(log) { $0.reads.count == 40 }
        #expect(try await loop.submit { log.value.reads }.get() == (0..<40).map { [$0, 1, 2] })
        try await loop.submit { log.value.reader?.close() }.get()
    }

    @Test func `a read that fails is told, and reading goes on with the same socket`() async throws {
        let near = try UDP()
        let first = try UDP()
        try near.connect(to: first)
        defer { close(near.descriptor) }
        let log = try await read(near.descriptor)
        // Nobody listens any more: what is sent comes back as an error of the next read, as a netlink socket tells of
        // messages that it lost.
        close(first.descriptor)
        // The kernel sends such errors at a limited rate for the whole machine, so one may not come: with other tests
        // beside it, this one waited for ever.
        let repeating = Task {
            while !Task.isCancelled {
                near.send([9])
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        try await wait(log) { !$0.failures.isEmpty }
        repeating.cancel()
        _ = await repeating.result
        #expect(try await loop.submit { log.value.failures }.get().allSatisfy { $0 == ECONNREFUSED })
        let second = try UDP()
        defer { close(second.descriptor) }
        try near.connect(to: second)
        try second.connect(to: near)
        second.send([7])
        try await wait(log) { $0.reads == [[7]] }
        try await loop.submit { log.value.reader?.close() }.get()
    }

    @Test func `nothing is told after the close, and the descriptor stays its owner's`() async throws {
        let near = try UDP()
        let far = try UDP()
        defer {
            close(near.descriptor)
            close(far.descriptor)
        }
        try far.connect(to: near)
        let log = try await read(near.descriptor)
        try await loop.submit { log.value.reader?.close() }.get()
        far.send([1])
        // Longer than it would take to be read, or to read on after a failure.
        try await Task.sleep(for: .milliseconds(150))
        #expect(try await loop.submit { log.value.reads.isEmpty && log.value.failures.isEmpty }.get())
        var octet: UInt8 = 0
        #expect(recv(near.descriptor, &octet, 1, 0) == 1 && octet == 1)
    }

    @Test func `a descriptor at its end is told of now and then, and costs no processor`() async throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        let end = ends[0]
        defer { close(end) }
        let log = try await read(end)
        close(ends[1])
        try await Task.sleep(for: .milliseconds(300))
        let failures = try await loop.submit {
            log.value.reader?.close()
            return log.value.failures
        }.get()
        // One in each DescriptorReader.retryDelay at most.
        #expect((1...7).contains(failures.count) && failures.allSatisfy { $0 == 0 })
    }
}
