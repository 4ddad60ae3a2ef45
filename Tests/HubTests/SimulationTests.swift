import Hub
import SansIO
import TestSupport
import Testing

/// Clients that talk while their links break, move, clog and reload, and a hub that reboots: every message to somebody who can
/// come back arrives once and in order, or the receiver is told that there is a gap.
@Suite struct SimulationTests {
    private struct Phone {
        var connection: HubConnection?
        var id = 0
        var token: String
        /// The number of the last message it has.
        var last = 0
        /// The last payload from each sender.
        var heard: [Int: Int] = [:]
        var sent: [Int: Int] = [:]
        /// Whose messages may have been in the gap it was told of last.
        var mayHaveLost: Set<Int> = []
    }

    @Test(arguments: 0..<200)
    func messagesArriveOnceAndInOrder(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var limits = Hub.Limits()
        limits.keptMessages = 40
        limits.keptTotalBytes = 3000
        limits.slowReaderBytes = 400
        var test = TestHub(limits: limits)
        var phones: [Phone] = []
        for _ in 0..<4 {
            let joined = try test.join("r", resumable: true)
            phones.append(Phone(connection: joined.connection, id: joined.id, token: joined.token))
        }
        let ids = phones.map(\.id)

        /// Reads what came; of a link that breaks, only the first part.
        func read(_ index: Int, upTo limit: Int = .max) throws {
            guard let connection = phones[index].connection else { return }
            for text in test.take(connection).prefix(limit) {
                let frame = try Frame(text)
                switch frame.t {
                case "id":
                    #expect(frame.id == ids[index], "the same id, seed \(seed)")
                    let next = try #require(frame.next)
                    #expect(next > phones[index].last, "no number twice, seed \(seed)")
                    if next != phones[index].last + 1 { phones[index].mayHaveLost = Set(ids) }
                    phones[index].last = next - 1
                case "from":
                    let seq = try #require(frame.seq)
                    #expect(seq == phones[index].last + 1, "no number twice, none left out, seed \(seed)")
                    phones[index].last = seq
                    let sender = try #require(frame.id)
                    let number = try #require(frame.object["payload"] as? Int)
                    let before = phones[index].heard[sender] ?? 0
                    #expect(number > before, "in order, seed \(seed)")
                    // A gap is over with the next message of the same sender.
                    let mayHaveLost = phones[index].mayHaveLost.remove(sender) != nil
                    #expect(number == before + 1 || mayHaveLost, "nothing is lost unheard, seed \(seed)")
                    phones[index].heard[sender] = number
                default: break
                }
            }
        }

        for _ in 0..<300 {
            let index = Int.random(in: 0..<phones.count, using: &generator)
            for (index, phone) in phones.enumerated() where phone.connection.map({ test.closed[$0] }) == .slowReader {
                try read(index, upTo: Int.random(in: 0..<12, using: &generator))
                phones[index].connection = nil
            }
            switch Int.random(in: 0..<100, using: &generator) {
            case ..<60:
                let other = Int.random(in: 0..<phones.count, using: &generator)
                guard let connection = phones[index].connection else { continue }
                let number = (phones[index].sent[other] ?? 0) + 1
                // Even where nobody is there: whoever comes back learns that something is missing.
                phones[index].sent[other] = number
                test.send(#"{"t":"to","id":\#(ids[other]),"payload":\#(number)}"#, on: connection)
            case ..<71: try read(index)
            case ..<72:
                // The transport has no room for the last message.
                guard let connection = phones[index].connection, test.inboxes[connection]?.popLast() != nil else {
                    continue
                }
                test.handle(.sendRefused(connection))
            case ..<75:
                // The transport takes no more, or takes it again; whoever is closed for that reads how far it came.
                if let connection = phones[index].connection {
                    test.handle(.writable(connection, Bool.random(using: &generator)))
                }
            case ..<80:
                try read(index)
                if let connection = phones[index].connection {
                    test.send(#"{"t":"ack","seq":\#(phones[index].last)}"#, on: connection)
                }
            case ..<87:
                // The link breaks; part of what was sent never arrives.
                try read(index, upTo: Int.random(in: 0..<4, using: &generator))
                if let connection = phones[index].connection { test.close(connection) }
                phones[index].connection = nil
            case ..<97:
                // Back, maybe while the old connection still looks alive.
                if phones[index].connection != nil { try read(index, upTo: Int.random(in: 0..<4, using: &generator)) }
                phones[index].connection = test.resume(phones[index].token, room: "r", last: phones[index].last)
            case ..<99: test.pass(.milliseconds(Int64.random(in: 0..<12_000, using: &generator)))
            default:
                test.reboot()
                for index in phones.indices {
                    phones[index].connection = nil
                }
            }
        }
        // Absent too long, and its numbers begin anew: the phone finds out when it comes back.
        for index in phones.indices {
            if phones[index].connection.map({ test.closed[$0] == nil }) != true {
                phones[index].connection = test.resume(phones[index].token, room: "r", last: phones[index].last)
            }
            try read(index)
        }
        for (index, phone) in phones.enumerated() {
            for (sender, other) in phones.enumerated() where !phone.mayHaveLost.contains(ids[sender]) {
                #expect((phone.heard[ids[sender]] ?? 0) == (other.sent[index] ?? 0), "all arrived, seed \(seed)")
            }
        }
    }
}
