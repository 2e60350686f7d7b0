//! The life of a WebSocket as one table (RFC 6455 §5.5.1, §7): a state and what happens give the next state and what
//! to do about it. Pure: the connection carries it out.

/// Where a WebSocket is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Messages flow both ways.
    Open,
    /// Our close frame is queued or sent; the peer's has not come. Its messages still count.
    CloseSent,
    /// Both close frames are exchanged; what remains is the end of the connection.
    Closed,
    /// The peer broke the protocol and was told; what it still sends is thrown away until it ends the connection.
    Failed,
    /// Nothing more will happen.
    Finished,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// A message, ping or pong came.
    Frame,
    /// The peer's close frame came.
    PeerClose,
    /// The peer broke the protocol or a limit.
    Violation,
    /// The peer ended its side of the connection.
    EndOfInput,
    /// The peer has not answered our close frame, or not ended the connection, in time.
    CloseTimeout,
    /// The peer is silent after a ping, or takes nothing.
    Unresponsive,
    /// Our user closes.
    Close,
    /// Our user drops everything.
    Abort,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing.
    Ignore,
    /// Report the frame.
    Deliver,
    /// Queue our close frame behind what waits.
    SendClose,
    /// Send the peer's code back at once, and report a clean close.
    AnswerClose,
    /// Report a clean close: ours is answered.
    ReportClose,
    /// Send a close frame with the code of the violation at once, and report it.
    Fail,
    /// Report that the connection is lost, and drop what waits.
    Lose,
    /// Everything was reported; end quietly. What waits is dropped, unless it was the peer who ended its side.
    End,
    /// Tell our user that it is too late.
    Refuse,
}

impl State {
    /// All states, in the order of a life.
    pub const ALL: [Self; 5] = [Self::Open, Self::CloseSent, Self::Closed, Self::Failed, Self::Finished];

    /// The table.
    pub const fn step(self, happening: Happening) -> (Self, Action) {
        use Happening as H;
        match (self, happening) {
            (Self::Open, H::Frame) => (Self::Open, Action::Deliver),
            (Self::Open, H::PeerClose) => (Self::Closed, Action::AnswerClose),
            (Self::Open, H::Violation) => (Self::Failed, Action::Fail),
            (Self::Open, H::Close) => (Self::CloseSent, Action::SendClose),
            (Self::Open, H::CloseTimeout) => (Self::Open, Action::Ignore),
            (Self::CloseSent, H::Frame) => (Self::CloseSent, Action::Deliver),
            (Self::CloseSent, H::PeerClose) => (Self::Closed, Action::ReportClose),
            // A second close frame may not follow the first (§5.5.1).
            (Self::CloseSent, H::Violation) => (Self::Failed, Action::Lose),
            (Self::CloseSent, H::CloseTimeout)
            | (Self::Open | Self::CloseSent, H::EndOfInput | H::Unresponsive | H::Abort) => {
                (Self::Finished, Action::Lose)
            }
            (Self::Closed | Self::Failed, H::EndOfInput | H::CloseTimeout | H::Unresponsive | H::Abort) => {
                (Self::Finished, Action::End)
            }
            // What was to be sent last may still wait.
            (Self::Finished, H::CloseTimeout | H::Unresponsive | H::Abort) => (Self::Finished, Action::End),
            (_, H::Close) => (self, Action::Refuse),
            (Self::Closed | Self::Failed | Self::Finished, _) => (self, Action::Ignore),
        }
    }

    /// Whether frames of the peer still count.
    #[inline]
    pub const fn is_receiving(self) -> bool {
        matches!(self, Self::Open | Self::CloseSent)
    }
}

impl Happening {
    /// All happenings.
    pub const ALL: [Self; 8] = [
        Self::Frame,
        Self::PeerClose,
        Self::Violation,
        Self::EndOfInput,
        Self::CloseTimeout,
        Self::Unresponsive,
        Self::Close,
        Self::Abort,
    ];
}
