public import BoxState
public import Credentials
import Glibc
import Synchronization

/// Who may come in: the box's key and the room's present credentials, kept in the state directory.
///
/// Session tokens and TURN credentials are signed, not stored: they outlive a restart of the box because the key
/// does, and a rotation ends them because it moves the generation on.
public final class RoomAuthority: Sendable {
    /// A person's admission to the room.
    public struct Session: Sendable {
        /// The person's id, `kl-…`; the same as before for someone who shows an earlier token.
        public let id: String
        /// What the broker wants to see with the id.
        public let token: String
        /// The generation of credentials the token belongs to.
        public let generation: UInt32
    }

    /// A file of the state directory can't be understood.
    public struct DamagedFile: Error, CustomStringConvertible {
        /// The file's path.
        public let path: String
        /// What is wrong with it.
        public let reason: String

        /// What is wrong, and what to do about it.
        public var description: String {
            "\(path): \(reason); if you can't mend it, remove it: the box makes a new one, and everyone scans the new code"
        }
    }

    private static let keyFile = "key"
    /// The present credentials on the first line, and on each following line a former secret, the oldest first. One file, so
    /// that a rotation is one write: no loss of power comes between the two.
    private static let roomFile = "room"
    /// Where an earlier version kept the former secrets.
    private static let retiredFile = "retired"
    /// Former secrets that are remembered.
    private static let retiredLimit = 64

    private let state: StateDirectory
    /// What signs, each with a key derived from the box's.
    private struct Signers {
        let tokens: SessionTokens
        let turn: TURNCredentials
        let hub: HubTokens
    }
    private let key: BoxKey
    private let signers = Mutex<Signers?>(nil)
    /// Made when it is first needed, for the beacon need not wait for it.
    private var signing: Signers {
        signers.withLock { made in
            if let made { return made }
            let new = Signers(
                tokens: SessionTokens(key: key), turn: TURNCredentials(key: key), hub: HubTokens(key: key))
            made = new
            return new
        }
    }
    private let former: Mutex<[String]>
    private let present: Mutex<RoomCredentials>
    /// Held during a rotation: one at a time, while the present credentials can still be read.
    private let rotating = Mutex<Void>(())

    /// Reads the key and the room from the state directory, or makes them at the first start.
    /// - Throws: `StateError` when the directory can't be read or written; ``DamagedFile``.
    public init(state: StateDirectory) throws {
        var generator = SystemRandomNumberGenerator()
        self.state = state
        let key: BoxKey
        if let text = try Self.read(Self.keyFile, from: state) {
            do { key = try BoxKey(text: text) } catch {
                throw DamagedFile(path: state.path(of: Self.keyFile), reason: error.description)
            }
        } else {
            key = BoxKey(using: &generator)
            try state.write(Array(key.text.utf8), to: Self.keyFile)
        }
        let room: RoomCredentials
        var former: [String] = []
        if let text = try Self.read(Self.roomFile, from: state) {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            do { room = try RoomCredentials(text: lines[0], using: &generator) } catch {
                throw DamagedFile(path: state.path(of: Self.roomFile), reason: error.description)
            }
            former = lines.dropFirst().filter { !$0.isEmpty }
            guard former.allSatisfy({ $0.utf8.count == room.secret.utf8.count }) else {
                throw DamagedFile(
                    path: state.path(of: Self.roomFile),
                    reason: "behind its first line must be former secrets, one a line")
            }
            if let earlier = try Self.read(Self.retiredFile, from: state) {
                // Power lost in the middle of that version's rotation may have left the present secret among them.
                former =
                    earlier.split(separator: "\n").map(String.init)
                    .filter { $0 != room.secret && !former.contains($0) } + former
            }
            // A file of an earlier version gains what it lacks; the room stays as it is.
            let now = Self.text(room, former)
            if now != text { try state.write(Array(now.utf8), to: Self.roomFile) }
            try state.remove(Self.retiredFile)
        } else {
            room = RoomCredentials(using: &generator)
            try state.write(Array(Self.text(room, former).utf8), to: Self.roomFile)
        }
        self.key = key
        self.former = Mutex(former)
        present = Mutex(room)
    }

    private static func text(_ room: RoomCredentials, _ former: [String]) -> String {
        room.text + former.suffix(retiredLimit).map { "\($0)\n" }.joined()
    }

    private static func read(_ name: String, from state: StateDirectory) throws -> String? {
        try state.read(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The room's present credentials.
    public var credentials: RoomCredentials { present.withLock { $0 } }

    /// The issuer of session tokens, for the broker to verify them.
    public var sessionTokens: SessionTokens { signing.tokens }

    /// The issuer of the hub's resume tokens.
    public var hubTokens: HubTokens { signing.hub }

    /// The room's former secrets, the oldest first.
    public var retiredSecrets: [String] { former.withLock { $0 } }

    /// Replaces the room's credentials; they are on the disk before they are valid. Waits for the disk.
    /// - Returns: those that were valid until now, and the new ones.
    /// - Throws: `StateError` when they can't be stored; the old ones are valid then, also after a restart.
    public func rotate() throws(StateError) -> (former: RoomCredentials, present: RoomCredentials) {
        try rotating.withLock { _ throws(StateError) in
            var generator = SystemRandomNumberGenerator()
            let present = credentials
            let next = present.rotated(using: &generator)
            let retired = Array((retiredSecrets + [present.secret]).suffix(Self.retiredLimit))
            do throws(StateError) {
                try state.write(Array(Self.text(next, retired).utf8), to: Self.roomFile)
            } catch {
                // The file may hold the new ones and only not be safe on the disk: nobody has seen those.
                try? write()
                throw error
            }
            self.present.withLock { $0 = next }
            former.withLock { $0 = retired }
            return (present, next)
        }
    }

    /// Writes the present credentials anew: works as soon as a rotation would.
    /// - Throws: `StateError` when they can't be stored.
    public func store() throws(StateError) {
        try rotating.withLock { _ throws(StateError) in try write() }
    }

    private func write() throws(StateError) {
        try state.write(Array(Self.text(credentials, retiredSecrets).utf8), to: Self.roomFile)
    }

    /// Lets someone in who knows the room's secret.
    /// - Parameters:
    ///   - secret: what they claim it is.
    ///   - previousToken: a token of theirs of any generation, to stay who they were.
    /// - Returns: nil when the secret is not the present one.
    public func openSession(secret: String, previousToken: String?) -> Session? {
        let room = credentials
        guard room.admits(secret: secret) else { return nil }
        var generator = SystemRandomNumberGenerator()
        let tokens = signing.tokens
        let id = previousToken.flatMap { tokens.verify($0)?.id } ?? Identifiers.freshMember(using: &generator)
        return Session(
            id: id, token: tokens.issue(SessionClaims(id: id, generation: room.generation)),
            generation: room.generation)
    }

    /// Makes credentials for TURN.
    /// - Parameter lifetime: how long they are valid, in seconds.
    public func turnCredential(lifetime: UInt64) -> TURNCredential {
        var generator = SystemRandomNumberGenerator()
        return signing.turn.issue(
            id: Identifiers.freshPeer(using: &generator), generation: credentials.generation,
            expiry: Self.wallClock() &+ lifetime)
    }

    /// The credential for TURN that stands in the hub's links: good for this generation of the room.
    public var hubTURNCredential: TURNCredential {
        signing.turn.hubCredential(generation: credentials.generation)
    }

    /// The password that belongs to a TURN username, while it is valid.
    public func turnPassword(forUsername username: String) -> String? {
        signing.turn.password(forUsername: username, at: Self.wallClock(), generation: credentials.generation)
    }

    /// Seconds since 1970. A box without a clock battery may be off by years, but it is the same clock that set the
    /// expiry; a jump forward ends credentials early, and pages fetch new ones for each ICE restart.
    private static func wallClock() -> UInt64 { UInt64(max(0, time(nil))) }
}
