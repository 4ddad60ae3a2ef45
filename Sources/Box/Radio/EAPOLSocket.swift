import BoxNetwork
import CLinux
import Glibc
public import NIOCore
import NL80211
public import Wire

/// EAPOL over a network interface, for radios that do not pass it over nl80211: a packet socket (packet(7)) of the
/// Ethernet type 0x888E.
///
/// Used and told on its event loop only.
public final class EAPOLSocket {
    /// Octets of the longest frame taken; a handshake's are below 300.
    private static let frameCapacity = 2048
    /// Octets that may wait to be read.
    private static let receiveBufferSize: Int32 = 256 * 1024
    /// The address of whoever a port leads to (IEEE 802.1X-2020, 11.1.1).
    private static let groupAddress = MACAddress(0x0180_C200_0003)
    /// Destination, source and type.
    private static let ethernetHeaderSize = 14

    private let descriptor: CInt
    private let address: MACAddress
    private let eventLoop: any EventLoop
    private var reader: DescriptorReader?

    /// Opens a socket and begins to read.
    /// - Parameters:
    ///   - interface: the interface's index.
    ///   - eventLoop: the loop, of a `MultiThreadedEventLoopGroup`; this is called on it.
    ///   - onFrame: takes each frame, from the 802.1X header on, and who sent it.
    /// - Throws: ``RadioSocketError`` when there is no such interface, or the process may not.
    public init(
        interface: UInt32, on eventLoop: any EventLoop, onFrame: @escaping (MACAddress, [UInt8]) -> Void
    ) throws(RadioSocketError) {
        eventLoop.preconditionInEventLoop()
        // Protocol 0: nothing comes before the socket is bound to the interface.
        let number = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard number >= 0 else { throw RadioSocketError("open a packet socket", code: errno) }
        var name = sockaddr_ll()
        name.sll_family = UInt16(AF_PACKET)
        name.sll_protocol = ControlPort.ethertype.bigEndian
        name.sll_ifindex = Int32(bitPattern: interface)
        var length = socklen_t(MemoryLayout<sockaddr_ll>.size)
        let isBound = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                // The name that comes back has the interface's address in it.
                bind(number, pointer, length) == 0 && getsockname(number, pointer, &length) == 0
            }
        }
        let octets = withUnsafeBytes(of: name.sll_addr) { [UInt8]($0.prefix(MACAddress.byteCount)) }
        guard isBound, name.sll_halen == UInt8(MACAddress.byteCount), let address = MACAddress(octets) else {
            let code = isBound ? EINVAL : errno
            Glibc.close(number)
            throw RadioSocketError("watch the interface for EAPOL", code: code)
        }
        var size = Self.receiveBufferSize
        setsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        descriptor = number
        self.address = address
        self.eventLoop = eventLoop
        reader = DescriptorReader(
            number, capacity: Self.frameCapacity, on: eventLoop,
            onRead: { buffer in
                var buffer = buffer
                guard buffer.readableBytes >= Self.ethernetHeaderSize,
                    let header = buffer.readBytes(length: Self.ethernetHeaderSize),
                    let destination = MACAddress(header[..<6]), let source = MACAddress(header[6..<12]),
                    // A promiscuous interface shows what is for others as well: that is no handshake of ours.
                    destination == address || destination == Self.groupAddress
                else { return }
                onFrame(source, Array(buffer: buffer))
            },
            // The interface is down (ENETDOWN): nothing comes until it is up again, and nothing is to be done.
            onFailure: { _ in })
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// Sends a frame.
    /// - Parameters:
    ///   - destination: to whom.
    ///   - frame: from the 802.1X header on.
    /// - Returns: whether the interface took it.
    @discardableResult
    public func send(to destination: MACAddress, _ frame: [UInt8]) -> Bool {
        eventLoop.preconditionInEventLoop()
        var writer = ByteWriter(capacity: Self.ethernetHeaderSize + frame.count)
        writer.write(destination)
        writer.write(address)
        writer.write(ControlPort.ethertype)
        writer.write(bytes: frame)
        let bytes = writer.bytes
        return bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) } == bytes.count
    }

    /// Ends the reading.
    public func close() {
        eventLoop.preconditionInEventLoop()
        reader?.close()
        reader = nil
    }
}
