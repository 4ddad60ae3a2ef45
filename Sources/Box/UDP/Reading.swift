public import NIOCore
import NIOPosix
public import Wire

extension UDPSocket {
    /// Octets of the largest datagram taken. One that fills its place may have been cut and is to be dropped: nothing
    /// that passes an Ethernet or Wi-Fi in one piece is as long.
    public static let datagramCapacity = 2048

    /// Reads from the socket on an event loop, many datagrams with one system call, until the channel is closed.
    /// - Parameters:
    ///   - eventLoop: the loop; `handler` is made on it.
    ///   - count: datagrams read by one system call.
    ///   - handler: makes what takes each datagram as an `AddressedEnvelope<ByteBuffer>`.
    /// - Throws: ``SocketError``.
    public func read(
        on eventLoop: any EventLoop, datagramsPerCall count: Int,
        handler: @escaping @Sendable () -> any ChannelHandler & SendableMetatype
    ) throws(SocketError) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: eventLoop)
            .channelOption(.datagramVectorReadMessageCount, value: count)
            // A second call after one that took all there was would only be told so.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: count * Self.datagramCapacity)
            )
            .channelOption(.receivePacketInfo, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
            }
            .withBoundSocket(try duplicate())
    }
}

extension TransportAddress {
    /// The address of a datagram's sender or receiver; nil for what is not of IP.
    public init?(_ address: SocketAddress) {
        switch address {
        case .v4(let v4):
            self = withUnsafeBytes(of: v4.address) { raw in
                let value = raw.load(fromByteOffset: SocketName.v4Address, as: UInt32.self)
                let port = raw.load(fromByteOffset: SocketName.port, as: UInt16.self)
                return TransportAddress(.v4(UInt32(bigEndian: value)), port: UInt16(bigEndian: port))
            }
        case .v6(let v6):
            self = withUnsafeBytes(of: v6.address) { raw in
                let high = raw.loadUnaligned(fromByteOffset: SocketName.v6Address, as: UInt64.self)
                let low = raw.loadUnaligned(fromByteOffset: SocketName.v6Address + 8, as: UInt64.self)
                let port = raw.load(fromByteOffset: SocketName.port, as: UInt16.self)
                return TransportAddress(
                    .v6(UInt64(bigEndian: high), UInt64(bigEndian: low)), port: UInt16(bigEndian: port))
            }
        case .unixDomainSocket:
            return nil
        }
    }
}
