/// What the panel says, in one language.
///
/// It is read by people around a table, most of them for the first time: short, and no words of the trade.
public struct Texts: Sendable {
    /// A text without numbers in it.
    public enum Key: Int, CaseIterable, Sendable {
        case starting
        case startingAdvice
        case joinWiFi
        case openRoom
        case scanToJoin
        case sameNetwork
        case network
        case password
        case nobody
        case onePerson
        case twoPeople
        case people
        case onePersonShort
        case twoPeopleShort
        case peopleShort
        case connected
        case allConnected
        case oneUnconnected
        case unconnected
        case full
        case fullAdvice
        case rotating
        case rotatingAdvice
        case updating
        case updatingAdvice
        case holdToShutDown
        case letGoToCancel
        case holdToReset
        case letGoToShutDown
        case resetting
        case resettingAdvice
        case shuttingDown
        case shuttingDownAdvice
        case off
        case offAdvice
        case stopped
        case stoppedAdvice
        case noNetwork
        case noNetworkAdvice
        case noRadio
        case noRadioAdvice
        case radioSwitchedOff
        case radioSwitchedOffAdvice
        case radioFails
        case radioFailsAdvice
        case noCountry
        case noCountryAdvice
        case wifiNetworkFails
        case wifiNetworkFailsAdvice
        case certificate
        case certificateAdvice
        case clock
        case clockAdvice
        case storage
        case storageAdvice
        case failed
        case shutdownFails
        case resetFails
        case holdAgainAdvice
        case otherAdvice
    }

    /// The language.
    public let language: Language

    /// Chooses a language.
    public init(_ language: Language) { self.language = language }

    /// A text as it is in the table; `#` stands for a number.
    public subscript(key: Key) -> String {
        Self.table[key.rawValue * Language.allCases.count + language.column]
    }

    private func filled(_ key: Key, _ number: Int) -> String {
        self[key].split(separator: "#", omittingEmptySubsequences: false).joined(separator: "\(number)")
    }

    /// How many are in the room.
    public func people(_ count: Int) -> String {
        switch count {
        case ...0: self[.nobody]
        case 1: self[.onePerson]
        case 2: self[.twoPeople]
        default: filled(.people, count)
        }
    }

    /// The same in few letters.
    func peopleShort(_ count: Int) -> String {
        switch count {
        case ...0: self[.nobody]
        case 1: self[.onePersonShort]
        case 2: self[.twoPeopleShort]
        default: filled(.peopleShort, count)
        }
    }

    /// How their links are; nil where nobody is.
    public func links(_ people: RoomScreen.People) -> String? {
        switch people.count - people.healthy {
        case _ where people.count <= 0: nil
        case ...0: self[people.count == 1 ? .connected : .allConnected]
        case 1: self[.oneUnconnected]
        case let missing: filled(.unconnected, missing)
        }
    }

    /// That no more phones can join.
    /// - Parameter limit: how many there are and may be.
    public func full(_ limit: Int) -> String { filled(.full, limit) }

    /// What is wrong, and what to do; the latter is empty when there is nothing to say.
    public func trouble(_ trouble: Trouble) -> (sentence: String, advice: String) {
        func both(_ sentence: Key, _ advice: Key) -> (String, String) { (self[sentence], self[advice]) }
        return switch trouble {
        case .noNetwork: both(.noNetwork, .noNetworkAdvice)
        case .noRadio: both(.noRadio, .noRadioAdvice)
        case .radioSwitchedOff: both(.radioSwitchedOff, .radioSwitchedOffAdvice)
        case .radioFails: both(.radioFails, .radioFailsAdvice)
        case .noCountry: both(.noCountry, .noCountryAdvice)
        case .wifiNetworkFails: both(.wifiNetworkFails, .wifiNetworkFailsAdvice)
        case .certificate: both(.certificate, .certificateAdvice)
        case .clock: both(.clock, .clockAdvice)
        case .storage: both(.storage, .storageAdvice)
        case .failed(let reason): (self[.failed], reason)
        case .shutdownFails: both(.shutdownFails, .holdAgainAdvice)
        case .resetFails: both(.resetFails, .holdAgainAdvice)
        case .other(let sentence): (sentence, self[.otherAdvice])
        }
    }
}

extension Language {
    /// Its place in each row of the table.
    var column: Int {
        switch self {
        case .english: 0
        case .german: 1
        case .french: 2
        case .spanish: 3
        case .hebrew: 4
        }
    }
}
