import CLinux
import Glibc
import Netlink
import Wire

/// Switches an interface on and gives and takes its addresses by rtnetlink(7), one request and its answer at a time.
final class InterfaceAddresses {
    /// Why the kernel did not do it.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// What the kernel answered; nil when nothing came.
        var number: ErrorNumber?

        init(_ error: NetlinkError) {
            description = error.description
            number = error.number
        }

        init(errno code: Int32) {
            description = String(cString: strerror(code))
            number = nil
        }
    }

    /// How long the kernel may take for an answer.
    static let limit = timeval(tv_sec: 2, tv_usec: 0)

    private let socket: Int32
    private let index: UInt32

    /// - Parameter interface: the interface's name.
    init(interface: String) throws(Failure) {
        index = if_nametoindex(interface)
        guard index != 0 else { throw Failure(errno: ENODEV) }
        let number = Glibc.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_ROUTE)
        guard number >= 0 else { throw Failure(errno: errno) }
        socket = number
        var limit = Self.limit
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    /// Switches the interface on, if it is not.
    func switchOn() throws(Failure) { try carryOut(.setLink(index: index, isUp: true)) }

    /// Gives the interface an address; one that it has already is fine.
    func add(_ address: IPAddress, prefixLength: Int) throws(Failure) {
        try carryOut(.addAddress(request(address, prefixLength)))
    }

    /// Takes an address from the interface; one that it has not is fine.
    func remove(_ address: IPAddress, prefixLength: Int) throws(Failure) {
        do throws(Failure) {
            try carryOut(.deleteAddress(request(address, prefixLength)))
        } catch {
            guard error.number?.rawValue == EADDRNOTAVAIL else { throw error }
        }
    }

    private func request(_ address: IPAddress, _ prefixLength: Int) -> InterfaceAddress {
        // Nobody else has the box's address, so IPv6 does not ask before it is used.
        let isV6 = if case .v6 = address { true } else { false }
        return InterfaceAddress(
            interface: index, address: address, prefixLength: UInt8(prefixLength),
            flags: isV6 ? InterfaceAddress.noDuplicateAddressDetection : 0)
    }

    private func carryOut(_ request: RouteRequest) throws(Failure) {
        var writer = NetlinkWriter()
        request.encode(sequence: 1, into: &writer)
        guard send(socket, writer.bytes, writer.bytes.count, 0) == writer.bytes.count else {
            throw Failure(errno: errno)
        }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &answer, answer.count, 0)
        guard count >= 0 else { throw Failure(errno: errno) }
        var reader = NetlinkMessageReader(answer.span.bytes.extracting(0..<count))
        guard let message = reader.next(), let acknowledgement = NetlinkAcknowledgement(message) else {
            throw Failure(errno: EPROTO)
        }
        if let error = acknowledgement.error { throw Failure(error) }
    }
}
