import Glibc
public import NIOCore
import NIOPosix

/// Reads whatever a descriptor gives, one read(2) a message, for as long as it is wanted.
///
/// The event loop reads a duplicate and closes it when a read fails. The descriptor itself stays open, and with it all
/// that the kernel ties to it: an access point that ends with its socket, frames that were registered, memberships.
/// A failed read is told and reading goes on: sockets tell of lost messages (`ENOBUFS`) and of interfaces that went down
/// (`ENETDOWN`) that way. Used on its event loop only.
public final class DescriptorReader {
    /// From a failure to reading again, so that a descriptor that fails each time costs little.
    public static let retryDelay = TimeAmount.milliseconds(50)
    /// Reads in a row before the event loop looks after others.
    private static let readsPerTurn = 64

    private let descriptor: CInt
    private let capacity: Int
    private let eventLoop: any EventLoop
    private let onRead: (ByteBuffer) -> Void
    private let onFailure: (Int32) -> Void
    private var channel: (any Channel)?
    private var isClosed = false

    /// Begins to read.
    /// - Parameters:
    ///   - descriptor: what to read; stays the caller's.
    ///   - capacity: octets of the longest message.
    ///   - eventLoop: the loop, of a `MultiThreadedEventLoopGroup`.
    ///   - onRead: takes each message.
    ///   - onFailure: takes `errno` of a read that failed, and 0 for a descriptor at its end.
    public init(
        _ descriptor: CInt, capacity: Int, on eventLoop: any EventLoop, onRead: @escaping (ByteBuffer) -> Void,
        onFailure: @escaping (Int32) -> Void
    ) {
        eventLoop.preconditionInEventLoop()
        self.descriptor = descriptor
        self.capacity = capacity
        self.eventLoop = eventLoop
        self.onRead = onRead
        self.onFailure = onFailure
        open()
    }

    /// Ends the reading; nothing is told any more.
    public func close() {
        isClosed = true
        channel?.close(promise: nil)
        channel = nil
    }

    private func open() {
        guard !isClosed else { return }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            onFailure(errno)
            openLater()
            return
        }
        let reader = NIOLoopBound(self, eventLoop: eventLoop)
        NIOPipeBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: capacity))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(reader.value))
                }
            }
            .takingOwnershipOfDescriptor(input: copy)
            .whenComplete { result in
                let reader = reader.value
                switch result {
                case .success(let channel) where reader.isClosed:
                    channel.close(promise: nil)
                case .success(let channel):
                    reader.channel = channel
                    // A read may have failed already.
                    if !channel.isActive { reader.openLater() }
                case .failure:
                    Glibc.close(copy)
                    reader.openLater()
                }
            }
    }

    /// Takes a message, and what has come meanwhile. NIO takes a message that is shorter than its buffer for the last one; but the
    /// kernel answers within send(2), and a turn of the event loop for each answer costs far more than a read in vain.
    private func take(_ first: ByteBuffer) {
        onRead(first)
        guard var buffer = channel?.allocator.buffer(capacity: capacity) else { return }
        for _ in 1..<Self.readsPerTurn {
            guard !isClosed else { return }
            buffer.clear(minimumCapacity: capacity)
            var code: Int32 = 0
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { place in
                let count = read(descriptor, place.baseAddress, capacity)
                if count < 0 { code = errno }
                return max(0, count)
            }
            if count > 0 {
                onRead(buffer)
            } else if code != EINTR {
                // The kernel tells an error once; an end it tells again.
                if code != 0, code != EAGAIN { onFailure(code) }
                return
            }
        }
    }

    private func openLater() {
        channel = nil
        let reader = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: Self.retryDelay) { reader.value.open() }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let reader: DescriptorReader
        private var failure: Int32 = 0

        init(_ reader: DescriptorReader) {
            self.reader = reader
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if !reader.isClosed { reader.take(unwrapInboundIn(data)) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            failure = (error as? IOError)?.errnoCode ?? EIO
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            guard !reader.isClosed else { return }
            reader.onFailure(failure)
            if reader.channel != nil { reader.openLater() }
        }
    }
}
