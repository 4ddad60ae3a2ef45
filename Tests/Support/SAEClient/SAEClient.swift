public import IEEE80211
public import SAE
public import WiFiCrypto
public import Wire

/// A station's side of SAE, for tests: it begins, sends again what is not answered, and brings tokens and rejected groups
/// (IEEE 802.11-2020, 12.4.8).
public struct SAEClient: Sendable {
    /// How far it is.
    public enum State: Sendable, Equatable {
        case idle
        /// The commit is sent; `group` is what it asks for.
        case committed(group: UInt16)
        /// The confirm is sent.
        case confirmed
        case accepted(pmk: SecretBytes, pmkid: [UInt8])
        /// The access point refused, or does not know the password itself.
        case failed(StatusCode)
    }

    /// An authentication frame, its algorithm SAE.
    public struct Frame: Sendable, Equatable {
        /// 1 for a commit, 2 for a confirm.
        public var transaction: UInt16
        /// What the frame says.
        public var status: StatusCode
        /// What follows the status.
        public var body: [UInt8]

        /// Makes a frame.
        public init(transaction: UInt16, status: StatusCode, body: [UInt8]) {
            self.transaction = transaction
            self.status = status
            self.body = body
        }
    }

    /// Its address.
    public let address: MACAddress
    /// How far it is.
    public private(set) var state = State.idle
    /// How often it was asked for a token.
    public private(set) var tokensBrought = 0
    /// Whether a confirm that is sent again counts on, as the standard has it, or is the same, as the kernel's is.
    public var countsConfirms = true
    /// The share that its commit shows.
    public var share: SAEShare { secrets.share }

    private let curve: P256
    private let method: SAEMethod
    private let secrets: SAESecrets
    private var groups: [UInt16]
    private var rejected: [UInt16] = []
    private var token: [UInt8] = []
    private var keys: SAEKeys?
    private var counter: UInt16 = 0

    /// Makes a station.
    /// - Parameters:
    ///   - groups: what it asks for, one after the other when refused. Commits of groups other than 19 have no meaning.
    public init(
        password: String, ssid: String, address: MACAddress, bss: MACAddress, method: SAEMethod,
        groups: [UInt16] = [19], curve: P256, using generator: inout some RandomNumberGenerator
    ) throws {
        let password = try SAEPassword(SecretBytes(Array(password.utf8)), ssid: Array(ssid.utf8), curve: curve)
        let element = try password.element(by: method, for: address, bss, using: &generator)
        secrets = try SAESecrets(for: element, using: &generator)
        self.address = address
        self.curve = curve
        self.method = method
        self.groups = groups
    }

    /// The first frame.
    public mutating func start() -> Frame {
        state = .committed(group: groups.first ?? 19)
        return commit()
    }

    /// The frame that is sent when the one before was not answered; nil when nothing is awaited.
    public mutating func retransmit() throws -> Frame? {
        switch state {
        case .idle, .accepted, .failed: nil
        case .committed: commit()
        case .confirmed: try confirm(again: !countsConfirms)
        }
    }

    /// Takes a frame of the access point's.
    /// - Returns: the answer, if one is due.
    public mutating func receive(_ frame: Frame) throws -> Frame? {
        switch state {
        case .idle, .accepted, .failed:
            return nil
        case .committed(let group):
            guard frame.transaction == 1 else { return nil }
            switch frame.status {
            case method.status:
                guard group == 19 else { return nil }
                return try receiveCommit(frame.body)
            case .antiCloggingTokenRequired:
                token = Array(frame.body.dropFirst(method == .hashToElement ? 5 : 2))
                tokensBrought += 1
                return commit()
            case .unsupportedFiniteCyclicGroup
            where frame.body != [UInt8(truncatingIfNeeded: group), UInt8(group >> 8)]:
                // Late: of a group that it has given up already.
                return nil
            case .unsupportedFiniteCyclicGroup where groups.count > 1:
                rejected.append(groups.removeFirst())
                state = .committed(group: groups.first ?? 19)
                return commit()
            default:
                state = .failed(frame.status)
                return nil
            }
        case .confirmed:
            guard frame.transaction == 2 else { return nil }
            guard frame.status == .success else {
                state = .failed(frame.status)
                return nil
            }
            guard let keys, let confirm = SAEConfirmBody(frame.body.span.bytes) else { return nil }
            let isRight = try keys.expectedConfirmation(confirm.counter) == confirm.code
            state = isRight ? .accepted(pmk: keys.pmk, pmkid: keys.pmkid) : .failed(.challengeFailure)
            return nil
        }
    }

    private func commit() -> Frame {
        var writer = ByteWriter()
        guard case .committed(let group) = state, group == 19 else {
            let group = groups.first ?? 0
            writer.write(group.byteSwapped)
            writer.writeZeros(3 * 48)
            return Frame(transaction: 1, status: method.status, body: writer.bytes)
        }
        SAECommitBody.write(
            secrets.share, method: method, token: token, rejectedGroups: rejected, into: &writer)
        return Frame(transaction: 1, status: method.status, body: writer.bytes)
    }

    private mutating func receiveCommit(_ body: [UInt8]) throws -> Frame? {
        guard let commit = SAECommitBody(body.span.bytes, method: method, tokenLength: 0),
            let scalar = try curve.scalar(commit.scalar), let element = try curve.point(commit.element)
        else { return nil }
        let share = SAEShare(scalar: scalar, element: element)
        // Only hash-to-element tells the rejected groups and binds them.
        let groups = method == .hashToElement ? rejected : []
        let salt = groups.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        keys = try secrets.keys(with: share, salt: salt)
        state = .confirmed
        return try confirm()
    }

    private mutating func confirm(again: Bool = false) throws -> Frame? {
        guard let keys else { return nil }
        if !again { counter += 1 }
        var writer = ByteWriter()
        SAEConfirmBody(counter: counter, code: try keys.confirmation(counter)).write(into: &writer)
        return Frame(transaction: 2, status: .success, body: writer.bytes)
    }
}
