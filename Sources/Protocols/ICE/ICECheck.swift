public import STUN
import Wire

/// A connectivity check: a Binding request as ICE agents send it (RFC 8445 section 7.2.2), in memory it only borrows.
///
/// That it can be read says nothing of who sent it; ``refusal(key:)`` does.
public struct ICECheck: ~Escapable {
    /// The request.
    public let message: STUNMessage
    /// The first half of USERNAME: whom the check is for. Empty when there is no USERNAME with a colon.
    public let localFragment: RawSpan
    /// The second half of USERNAME: who sends the check. Empty when there is no USERNAME with a colon.
    public let remoteFragment: RawSpan
    /// PRIORITY; 0 when it is missing, which consent checks may do (RFC 7675 section 5.1).
    public let priority: UInt32
    /// Whether the pair is nominated: USE-CANDIDATE is there.
    public let isNominating: Bool
    /// Whether the sender takes itself for the controlled agent.
    public let isFromControlled: Bool
    /// Whether an attribute is there that must be understood and is not.
    let hasUnknownAttributes: Bool

    /// Reads a check that fills `bytes`.
    /// - Parameter bytes: a datagram.
    /// - Throws: why the datagram is no check. Nothing is to be answered then.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(ICECheckError) {
        let message: STUNMessage
        do { message = try STUNMessage(bytes) } catch { throw .malformed }
        guard message.method == .binding else { throw .unexpected }
        switch message.messageClass {
        case .request: break
        case .indication: throw .keepalive
        // A lite agent sends no checks, so nothing can answer one.
        case .success, .error: throw .unexpected
        }
        // RFC 8445 section 7.3: a check has a FINGERPRINT.
        guard message.isFingerprintValid else { throw .malformed }
        var localFragment = bytes.extracting(0..<0)
        var remoteFragment = localFragment
        var priority: UInt32 = 0
        var isNominating = false
        var isFromControlled = false
        var hasUnknownAttributes = false
        var hasUsername = false
        var attributes = message.meaningfulAttributes
        while let attribute = attributes.next() {
            switch attribute.type {
            case .username where !hasUsername:
                hasUsername = true
                let name = attribute.value
                let colon = name.withUnsafeBytes { $0.firstIndex(of: UInt8(ascii: ":")) }
                if let colon {
                    localFragment = name.extracting(0..<colon)
                    remoteFragment = name.extracting((colon + 1)..<name.byteCount)
                }
            case .priority: priority = attribute.uint32 ?? 0
            case .useCandidate: isNominating = true
            case .iceControlled: isFromControlled = true
            default:
                if !attribute.type.isOptional, attribute.type != .username { hasUnknownAttributes = true }
            }
        }
        self.message = message
        self.localFragment = localFragment
        self.remoteFragment = remoteFragment
        self.priority = priority
        self.isNominating = isNominating
        self.isFromControlled = isFromControlled
        self.hasUnknownAttributes = hasUnknownAttributes
    }

    /// Whether USERNAME and MESSAGE-INTEGRITY are there at all.
    public var hasCredentials: Bool {
        message.hasIntegrity && !localFragment.isEmpty && !remoteFragment.isEmpty
    }

    /// Why a lite agent refuses the check, in the order of RFC 8489 sections 9.1.3 and 6.3.1 and RFC 8445 section 7.3.
    /// - Parameter key: the key of the password that belongs to ``localFragment``; nil when no such name is known.
    /// - Returns: nil when the check is valid.
    public func refusal(key: STUNKey?) -> STUNErrorCode? {
        guard hasCredentials else { return .badRequest }
        guard let key, message.isIntact(key: key) else { return .unauthenticated }
        if hasUnknownAttributes { return .unknownAttribute }
        // RFC 8445 section 6.1.1: facing a lite agent, the other one controls. Section 7.3.1.1 would let the larger
        // tie-breaker decide; a lite agent can't control, so it never yields.
        if isFromControlled { return .roleConflict }
        return nil
    }

    /// The attributes that must be understood and are not, as many as fit an answer.
    var unknownAttributes: [STUNAttributeType] {
        var unknown: [STUNAttributeType] = []
        var attributes = message.meaningfulAttributes
        while let attribute = attributes.next(), unknown.count < 8 {
            switch attribute.type {
            case .username, .priority, .useCandidate: break
            default:
                if !attribute.type.isOptional, !unknown.contains(attribute.type) { unknown.append(attribute.type) }
            }
        }
        return unknown
    }
}

/// Why a datagram is no check to be answered.
public enum ICECheckError: Error, Hashable, Sendable {
    /// No STUN, damaged, or without FINGERPRINT. The sender's fault.
    case malformed
    /// A Binding indication, which only keeps a path open (RFC 8445 section 11). Nobody's fault.
    case keepalive
    /// STUN, but nothing a lite agent takes: another method, or a response.
    case unexpected
}
