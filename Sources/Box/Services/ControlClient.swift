import FoundationEssentials
import Glibc

/// Asks a running box over its control socket.
public struct ControlClient {
    /// Why there is no answer.
    public enum Failure: Error, CustomStringConvertible {
        /// Nothing listens on the socket.
        case notRunning(state: String)
        /// The socket may not be opened by this user.
        case forbidden(path: String)
        /// The path of the state directory is longer than a Unix socket's may be.
        case pathTooLong(path: String)
        /// The box did not answer in time, or not in its protocol.
        case noAnswer(reason: String)
        /// The box answered that it could not do it.
        case refused(reason: String)

        /// What is wrong, and what to do about it.
        public var description: String {
            switch self {
            case .notRunning(let state):
                "no box runs with the state directory \(state); start it with 'kibitz-local run', or name its directory with --state"
            case .forbidden(let path):
                "you may not open \(path); run this as root, or join the group kibitz: sudo usermod -aG kibitz $USER, then log in again"
            case .pathTooLong(let path):
                "\(path) is longer than the 107 bytes a Unix socket's path may have; use a shorter --state directory"
            case .noAnswer(let reason): "the box did not answer: \(reason)"
            case .refused(let reason): "the box could not do it: \(reason)"
            }
        }
    }

    /// How long the box may take to answer.
    static let timeout = 10
    /// An answer longer than this is not the box's.
    static let maxResponse = 4 << 20

    private let state: String
    private var path: String { state + "/" + controlSocketName }

    /// Makes a client.
    /// - Parameter state: the running box's state directory.
    public init(state: String) {
        self.state = state
    }

    /// The running box's status.
    /// - Throws: ``Failure``.
    public func status() throws(Failure) -> Status { try member(\.status, of: ask(.status)) }

    /// Makes new credentials for the room; returns the status with the new link.
    /// - Throws: ``Failure``.
    public func rotate() throws(Failure) -> Status { try member(\.status, of: ask(.rotate)) }

    /// How the box's own Wi-Fi is doing, with its passphrase.
    /// - Throws: ``Failure``.
    public func wifi() throws(Failure) -> WiFiStatus { try member(\.wifi, of: ask(.wifi)) }

    /// Makes the box as it was when it was new; it ends for that.
    /// - Throws: ``Failure``.
    public func reset() throws(Failure) { _ = try ask(.reset) }

    /// Tells the box that new software is being installed: it says so on its panel.
    /// - Returns: the connection that tells it, which stays open in programs that this one starts or becomes. The box
    ///   shows its room again when it was closed everywhere.
    /// - Throws: ``Failure``.
    public func updating() throws(Failure) -> CInt {
        let connection = try connect()
        do throws(Failure) {
            _ = try ask(.updating, on: connection)
        } catch {
            close(connection)
            throw error
        }
        _ = fcntl(connection, F_SETFD, 0)
        return connection
    }

    /// What the panel shows.
    /// - Throws: ``Failure``.
    public func panel() throws(Failure) -> PanelPicture { try member(\.panel, of: ask(.panel)) }

    private func member<Value>(
        _ path: KeyPath<ControlResponse, Value?>, of response: ControlResponse
    ) throws(Failure) -> Value {
        guard let value = response[keyPath: path] else {
            throw .noAnswer(reason: "its answer does not hold what was asked for")
        }
        return value
    }

    private func ask(_ request: ControlRequest) throws(Failure) -> ControlResponse {
        let connection = try connect()
        defer { close(connection) }
        return try ask(request, on: connection)
    }

    private func ask(_ request: ControlRequest, on connection: CInt) throws(Failure) -> ControlResponse {
        let line = "\"\(request.rawValue)\"\n"
        let answer = try exchange(Array(line.utf8), on: connection)
        guard let response = try? JSONDecoder().decode(ControlResponse.self, from: Data(answer)) else {
            throw .noAnswer(reason: "it does not speak this program's protocol; are both of the same version?")
        }
        if let error = response.error { throw .refused(reason: error) }
        return response
    }

    private func connect() throws(Failure) -> CInt {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .noAnswer(reason: String(cString: strerror(errno))) }
        var limit = timeval(tv_sec: Self.timeout, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        let connected = withUnixAddress(Array(path.utf8)) { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        if connected == 0 { return descriptor }
        close(descriptor)
        switch connected {
        case nil: throw .pathTooLong(path: path)
        case EACCES, EPERM: throw .forbidden(path: path)
        case ENOENT, ECONNREFUSED, ENOTDIR: throw .notRunning(state: state)
        case let code?: throw .noAnswer(reason: String(cString: strerror(code)))
        }
    }

    /// Sends a line, and reads one.
    private func exchange(_ request: [UInt8], on descriptor: CInt) throws(Failure) -> [UInt8] {
        guard
            request.withUnsafeBytes({ send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) })
                == request.count
        else { throw .noAnswer(reason: String(cString: strerror(errno))) }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while answer.count <= Self.maxResponse {
            let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count == 0 { return answer }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .noAnswer(
                    reason: errno == EAGAIN ? "nothing for \(Self.timeout) seconds" : String(cString: strerror(errno)))
            }
            answer += chunk[..<count]
            if answer.last == UInt8(ascii: "\n") { return answer }
        }
        throw .noAnswer(reason: "its answer is too long")
    }
}
