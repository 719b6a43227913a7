//! `token`: what lets scripts speak to the API in a user's name.

use secrecy::ExposeSecret as _;

use super::user::role;
use super::{Ended, Session, open, out};
use crate::clock::Clock;
use crate::db::token;
use crate::db::user::Role;
use crate::desk::{Secret, Wish};
use crate::{vault, view};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Make a token; it is shown once and kept as a hash only
    Add {
        /// What it is for
        name: String,
        /// The user for whom it speaks; it never sees or does more than that user
        #[arg(long)]
        user: String,
        /// What it may do: owner, operator or viewer
        #[arg(long, value_parser = role, default_value = "viewer")]
        role: Role,
        /// It sees this merchant only
        #[arg(long, value_name = "SLUG")]
        merchant: Option<String>,
        /// Days until it ends
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Which there are
    List,
    /// Let a token open nothing any more
    Revoke {
        /// Its number, as "token list" shows it
        token: i64,
    },
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let (config, now) = (session.config()?, Clock::real().now());
        match self {
            Self::Add { name, user, role, merchant, days } => {
                let secret = vault::api_token();
                let wish = Wish::TokenAdd { user, name, role, merchant, days, secret: Secret(secret.clone()) };
                let mut answer = open::wish(&config, wish, now)?;
                answer["secret"] = secret.expose_secret().into();
                session.out.say(&answer, || {
                    let text = |key: &str| answer[key].as_str().unwrap_or_default();
                    let (user, role, end) = (text("user"), text("role"), text("expires_at"));
                    format!(
                        "Token {} speaks for {user} as {role} until {end}\nShown this once: {}",
                        answer["token"],
                        text("secret")
                    )
                })?;
            }
            Self::List => {
                let tokens = open::look(&config)?.read(token::all)?;
                let tokens: Vec<view::Token> = tokens.into_iter().map(view::Token::from).collect();
                session.out.say(&tokens, || {
                    let cells = |token: &view::Token| {
                        [
                            token.id.to_string(),
                            token.name.clone(),
                            token.user.clone(),
                            token.role.word().to_owned(),
                            token.merchant.clone().unwrap_or_default(),
                            view::second(token.expires_at),
                            token.used_at.map_or_else(String::new, view::second),
                        ]
                    };
                    let head = ["TOKEN", "NAME", "USER", "ROLE", "MERCHANT", "ENDS (UTC)", "LAST USED (UTC)"];
                    out::table(head, &tokens.iter().map(cells).collect::<Vec<_>>())
                })?;
            }
            Self::Revoke { token } => {
                let answer = open::wish(&config, Wish::TokenRevoke { token_id: token }, now)?;
                session.out.say(&answer, || format!("Token {token} opens nothing any more"))?;
            }
        }
        Ok(Ended::Fine)
    }
}
