//! Arabic, with the words of Daftra's own Arabic screens.

use super::plural::Plural;
use super::{Labels, Lang, Notice, Planned, Said, Sentence, Words, differing, isolated, money, planned, units};
use crate::db::alert::Cause;
use crate::db::class;
use crate::db::delivery::Fate;
use crate::db::log::Status;
use crate::db::merchant::{Mode, Trouble};
use crate::db::order;
use crate::db::rejection::Why;
use crate::db::user::Role;
use crate::domain::catalog::Rule;
use crate::domain::connection::Blocked;
use crate::domain::document;
use crate::domain::draft::Draft;
use crate::domain::invoice::Seen;
use crate::domain::money::{Amount, Currency};
use crate::domain::payment::MoneyState;
use crate::domain::reason::{
    Difference, DifferenceKind, Extra, Failed, Hold, Ignored, RefundPart, Refusal, Shortage, Unmoved, Waiting,
};
use crate::domain::refund::Class;
use crate::domain::rules::ShippingPolicy;
use crate::domain::ruling::Ruling;
use crate::domain::trace::Step;

pub(super) struct Arabic;

const SECONDS: Plural = Plural::ar(["ثانية واحدة", "ثانيتين", "{} ثوانٍ", "{} ثانية", "{} ثانية"]);
const TRIES: Plural = Plural::ar([
    "فشلت محاولة واحدة",
    "فشلت محاولتان متتاليتان",
    "فشلت {} محاولات متتالية",
    "فشلت {} محاولة متتالية",
    "فشلت {} محاولة متتالية",
]);

fn say(what: impl Into<String>, next_step: impl Into<String>) -> Sentence {
    Sentence { what: what.into(), next_step: next_step.into() }
}

fn quote(text: &str) -> String {
    format!("«{}»", isolated(text))
}

fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| isolated(&item.to_string())).collect::<Vec<_>>().join("، ")
}

impl Words for Arabic {
    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn order_state(&self, state: order::State) -> &'static str {
        match state {
            order::State::New => "جديد",
            order::State::Working => "قيد المعالجة",
            order::State::Waiting => "في الانتظار",
            order::State::Settled => "مكتمل",
            order::State::Ignored => "متجاهَل",
            order::State::Shadow => "معروض فقط (وضع الظل)",
            order::State::Held => "معلّق",
            order::State::Failed => "فشل",
        }
    }

    fn class(&self, class: class::Class) -> &'static str {
        match class {
            class::Class::Invoiced => "مفوتر",
            class::Class::Cancelled => "ملغي",
            class::Class::Ignored => "متجاهَل",
            class::Class::Waiting => "في الانتظار",
            class::Class::Shadow => "وضع الظل",
            class::Class::Held => "معلّق",
            class::Class::InDoubt => "غير مؤكد",
            class::Class::Failed => "فشل",
            class::Class::InWork => "قيد المعالجة",
        }
    }

    fn ruling(&self, ruling: Ruling) -> &'static str {
        match ruling {
            Ruling::Dismiss => "صُرف النظر عنه: لا يلزم شيء ما دام الطلب كما هو",
            Ruling::Import => "استيراد: يُسجَّل رغم أن القواعد تتجاوزه",
            Ruling::NewInvoice { .. } => "فاتورة جديدة بدل المحذوفة",
            Ruling::Leave { .. } => "حُذفت عمدًا: تُترك كما هي",
            Ruling::Rewrite { .. } => "تُكتب مجددًا كما كانت قبل تغييرها يدويًا",
        }
    }

    fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Success => "تم بنجاح",
            Status::Updated => "تم التحديث",
            Status::Cancelled => "ملغي",
            Status::Ignored => "متجاهَل",
            Status::Failed => "فشل",
            Status::Held => "معلّق",
            Status::Waiting => "في الانتظار",
            Status::InDoubt => "غير مؤكد",
            Status::Duplicate => "مكرر",
            Status::Test => "اختبار",
            Status::Paused => "متوقف مؤقتًا",
            Status::Shadow => "وضع الظل",
        }
    }

    fn bare(&self, status: Status) -> &'static str {
        match status {
            Status::Shadow => "خُطط وعُرض، ولم يُكتب شيء في دفترة.",
            Status::Paused => "محفوظ، ويُعالج عند استئناف التاجر.",
            Status::Success
            | Status::Updated
            | Status::Cancelled
            | Status::Ignored
            | Status::Failed
            | Status::Held
            | Status::Waiting
            | Status::InDoubt
            | Status::Duplicate
            | Status::Test => "",
        }
    }

    fn mode(&self, mode: Mode) -> &'static str {
        match mode {
            Mode::Shadow => "وضع الظل: يخطط ولا يكتب شيئًا",
            Mode::Live => "مباشر",
            Mode::Paused => "متوقف مؤقتًا: تُحفظ الإشعارات",
            Mode::Closed => "مغلق",
        }
    }

    fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Viewer => "مشاهد",
            Role::Operator => "مشغّل",
            Role::Owner => "مالك",
        }
    }

    fn document_state(&self, state: document::State) -> &'static str {
        match state {
            document::State::Planned => "مخطط",
            document::State::Sending => "قيد الإرسال",
            document::State::InDoubt => "غير مؤكد",
            document::State::Refused => "رفضته دفترة",
            document::State::Dropped => "لم يعد مطلوبًا",
            document::State::Posted => "مسجّل",
            document::State::Replacing => "قيد الاستبدال",
            document::State::ReplaceInDoubt => "استبدال غير مؤكد",
            document::State::Locked => "مقفل في دفترة",
            document::State::Gone => "محذوف في دفترة",
            document::State::Reversed => "معكوس",
        }
    }

    fn document_kind(&self, draft: &Draft) -> &'static str {
        match draft {
            Draft::Invoice(_) => "فاتورة",
            Draft::RefundReceipt(_) => "فاتورة مرتجعة",
            Draft::Payment(_) => "دفعة",
        }
    }

    fn money_state(&self, state: MoneyState) -> &'static str {
        match state {
            MoneyState::Pending => "لم يُدفع بعد",
            MoneyState::Authorized => "محجوز ولم يُحصَّل",
            MoneyState::PartiallyPaid => "مدفوع جزئيًا",
            MoneyState::Paid => "مدفوع",
            MoneyState::Overpaid => "مدفوع بزيادة",
            MoneyState::PartiallyRefunded => "مسترجع جزئيًا",
            MoneyState::Refunded => "مسترجع",
            MoneyState::Voided => "أُلغي الحجز",
            MoneyState::Expired => "انتهت مهلته",
        }
    }

    fn owed(&self, unpaid: Amount, currency: Option<Currency>) -> Option<String> {
        match unpaid {
            Amount(0) => None,
            Amount(1..) => Some(format!("المتبقي غير المدفوع {}.", money(self, unpaid, currency))),
            too_much => Some(format!("المدفوع زيادة {}.", money(self, -too_much, currency))),
        }
    }

    fn refund_class(&self, class: Class) -> &'static str {
        match class {
            Class::Absorbed => "خُصم قبل الفاتورة الأولى",
            Class::Edit => "تعديل: تُستبدل الفاتورة",
            Class::Receipt => "له فاتورة مرتجعة خاصة به",
            Class::Covered => "مشمول في الفاتورة المرتجعة للإلغاء، أو مجرد مبلغ دُفع زيادة",
            Class::NotOurs => "لا يخص هذا التاجر",
        }
    }

    fn action<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "create" => "إنشاء",
            "replace" => "استبدال",
            "look_up" => "بحث",
            "verify" => "قراءة للتحقق",
            "find" => "بحث عن منتجات",
            "site_info" => "بيانات الحساب",
            other => other,
        }
    }

    fn outcome<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "accepted" => "قُبل",
            "refused" => "رُفض",
            "unsent" => "لم يُرسل",
            "unknown" => "النتيجة غير معروفة",
            "throttled" => "أسرع من المسموح، أُجّل",
            "credential" => "المفتاح غير مقبول",
            "found" => "موجود",
            "absent" => "غير موجود",
            "several" => "موجود أكثر من مرة",
            "failed" => "لم يكتمل",
            other => other,
        }
    }

    fn deed<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "hold.release" => "أعاد فحص طلبات معلّقة",
            "mapping.import" => "استورد روابط المنتجات",
            "mapping.set" => "ربط رمزًا بمنتج",
            "merchant.add" => "أضاف تاجرًا",
            "merchant.set" => "غيّر بيانات تاجر",
            "merchant.pause" => "أوقف تاجرًا مؤقتًا",
            "merchant.resume" => "استأنف عمل تاجر",
            "merchant.close" => "أغلق تاجرًا",
            "privacy.read" => "جمع ما يُحفظ عن عميل",
            "privacy.answer" => "أجاب طلب عميل",
            "privacy.redact" => "أمر بنسيان عميل",
            "shop.back" => "أكّد عودة متجر",
            "merchant.open" => "فتح تاجرًا من جديد",
            "merchant.secret" => "استبدل سرّ الإشعارات أو حذفه",
            "merchant.shop_connect" => "ربط تاجرًا بواجهة \u{2066}API\u{2069} لمتجره",
            "merchant.shop_disconnect" => "فصل تاجرًا عن واجهة \u{2066}API\u{2069} لمتجره",
            "merchant.catch_up" => "طلب البحث عن طلبات في متجر",
            "mail.recipient_add" => "أضاف مستلمًا للرسائل",
            "mail.recipient_set" => "غيّر ما يصل مستلمًا من رسائل",
            "mail.recipient_remove" => "أزال مستلمًا للرسائل",
            "mail.words" => "غيّر كلمات رسالة",
            "mail.resend" => "أعاد إرسال رسالة",
            "mail.trial" => "أرسل رسالة تجريبية",
            "order.note" => "كتب ملاحظة عن طلب",
            "delivery.read" => "فتح نص إشعار",
            "delivery.replay" => "قرأ إشعارًا من جديد",
            "failed.retry" => "أعاد محاولة طلبات فاشلة",
            "order.retry" => "أعاد فحص طلب",
            "order.rule" => "قرر بشأن طلب",
            "user.add" => "أضاف مستخدمًا",
            "user.rights" => "غيّر صلاحيات مستخدم",
            "token.add" => "أنشأ رمز وصول لواجهة API",
            "token.revoke" => "ألغى رمز وصول",
            "user.disable" => "أوقف مستخدمًا",
            "user.enable" => "فعّل مستخدمًا",
            "user.language" => "اختار لغة",
            "user.passwd" => "غيّر كلمة مرور",
            "database.restore" => "استعاد نسخة احتياطية",
            "vault.rekey" => "استبدل المفتاح الرئيسي",
            other => other,
        }
    }

    fn alert(&self, cause: Cause) -> Sentence {
        match cause {
            Cause::Trouble => say(
                "مفتاح تاجر أو عنوانه لا يعمل",
                "أدخل المفتاح من جديد في صفحة التاجر ضمن دفترة؛ لا يضيع شيء في هذه الأثناء.",
            ),
            Cause::Expired => say(
                "تقول دفترة إن باقة حساب أحد التجار انتهت",
                "جدّدها في دفترة؛ ما ترفضه دفترة حتى ذلك الحين ينتظر هنا ويتابع تلقائيًا.",
            ),
            Cause::Outage => {
                say("حساب دفترة لا يستجيب", "يُسأل من جديد تلقائيًا. إن استمر ذلك: تحقق من أن دفترة تفتح في المتصفح.")
            }
            Cause::Failed => say("توقفت محاولات معالجة طلب", "اقرأ السبب ضمن ما يحتاج إلى انتباه، ثم أعد المحاولة."),
            Cause::Unreadable => say("تعذرت قراءة إشعار", "لم يضع شيء فهو محفوظ. حدّث قنطرة ثم اقرأ الإشعار من جديد."),
            Cause::Payments => say(
                "طريقة دفع أو خزينة مذكورة في ملف التاجر غير مفعّلة في دفترة",
                "فعّلها في دفترة، أو اختر غيرها لمدفوعات التاجر.",
            ),
            Cause::InDoubt => say(
                "منذ وقت طويل لا يُعرف إن كان مستند موجودًا في دفترة",
                "تُسأل دفترة تلقائيًا. إن لم تُجب: ابحث عن المرجع فيها بنفسك، ثم قرر ضمن ما يحتاج إلى انتباه.",
            ),
            Cause::Holds => {
                say("طلبات معلّقة منذ وقت طويل", "قرر بشأنها ضمن ما يحتاج إلى انتباه: لن تدخل دفترة قبل ذلك.")
            }
            Cause::Signatures => {
                say("إشعارات أكثر من قبل لا تثبت شيئًا", "تذكر صفحة الإشعارات السبب المرجّح، وهو غالبًا سرّ تغيّر في المتجر.")
            }
            Cause::Queue => say(
                "طلبات حان وقتها منذ مدة طويلة ولم تُعالج",
                "دفترة بطيئة، أو الطلبات أكثر مما يكفيه اتصال واحد في كل مرة: راجع \u{2066}daftra.calls_at_once\u{2069} و\u{2066}pace_ms\u{2069}.",
            ),
            Cause::Disk => say(
                "القرص يكاد يمتلئ: تُؤجَّل الإشعارات ولا يبدأ أي طلب",
                "أفسح مكانًا في قرص \u{2066}data.folder\u{2069}. يتابع كل شيء تلقائيًا؛ وتعيد شوبيفاي الإرسال عدة ساعات.",
            ),
            Cause::Clock => say(
                "ساعة الخادم تختلف عن ساعة دفترة أو أُعيدت إلى الوراء",
                "فعّل مزامنة الوقت (\u{2066}timedatectl set-ntp true\u{2069}): تحمل المستندات تاريخ هذه الساعة.",
            ),
            Cause::Backup => say(
                "لم تُصنع آخر نسخة احتياطية أو أنها غير سليمة",
                "راجع السجل لمعرفة السبب وتحقق من اتساع مجلدها؛ واصنع نسخة يدويًا في هذه الأثناء: \u{2066}qantara backup FILE\u{2069}.",
            ),
            Cause::Certificate => say(
                "تنتهي الشهادة قريبًا أو تعذر تجديدها",
                "راجع السجل لمعرفة السبب. لا ترسل شوبيفاي شيئًا من دون شهادة سليمة.",
            ),
            Cause::Privacy => say(
                "اقترب موعد ما طلبه متجر باسم أحد عملائه",
                "افتح الخصوصية ونفّذ المطلوب هناك: تمهل شوبيفاي ثلاثين يومًا.",
            ),
            Cause::Uninstalled => say(
                "أزال المتجر التطبيق",
                "تبقى الدفاتر ولا يُتصل بالمتجر بعد الآن. إن غادر فأغلق التاجر، وإلا فأكّد في صفحة الخصوصية أنه عاد.",
            ),
            Cause::ShopApi => say(
                "واجهة \u{2066}API\u{2069} لمتجر أحد التجار لا تُفتح",
                "صفحة التاجر عن \u{2066}API\u{2069} تقول السبب وما يجب الضغط عليه. إشعارات \u{2066}webhook\u{2069} تُستلم كما كانت.",
            ),
            Cause::Messages => {
                say("الرسائل لا تخرج", "صفحتا الرسائل والتنبيهات تقولان السبب. لا شيء يضيع: ما ينتظر يُعاد إرساله تلقائيًا.")
            }
            Cause::Unread => say(
                "في متجر طلبات يذكرها ولا تعطيها واجهة \u{2066}API\u{2069}",
                "تستمر بقية الطلبات، ويُعاد طلب هذه كلما بُحث في المتجر؛ صفحة التاجر عن \u{2066}API\u{2069} تذكر أسماءها. إن طال ذلك فافتح \
                 الطلب في شوبيفاي أو سجّله يدويًا.",
            ),
            Cause::SecondConnector => say(
                "في دفترة مستندات تذكر طلبات هذا التاجر وليست لنا: برنامج آخر أو شخص يكتبها أيضًا",
                "أوقف البرنامج الآخر، ثم تبنَّ كل مستند أو اصرف النظر عنه في صفحة التشغيل الفعلي للتاجر: حتى ذلك الحين قد يُسجَّل طلب مرتين.",
            ),
            Cause::Gaps => say(
                "أرقام طلبات ناقصة لم يخبر بها أحد، منذ أكثر من ساعة",
                "انظر في المتجر هل هذه الطلبات موجودة. فإن وُجدت فافتح أحدها واحفظه ليصل إشعاره؛ ومع ربط واجهة المتجر البرمجية يُبحث عنها من تلقاء نفسها.",
            ),
            Cause::Silence => say(
                "متجر نشيط عادةً لم يخبر بأي طلب منذ مدة أطول بكثير مما كان في الأسابيع الأربعة الماضية",
                "انظر هل المتجر يبيع، وهل ما زالت إشعاراته تصل إلى هنا: صفحة الإشعارات للتاجر تقول متى وصل آخرها.",
            ),
            Cause::Subscriptions => say(
                "توقف متجر عن الإبلاغ عن شيء، وأُصلحت الاشتراكات",
                "لا شيء عليك: ما فات يُبحث عنه الآن. إن تكرر ذلك فتحقق من أن هذا الخادم متاح من الخارج دائمًا.",
            ),
        }
    }

    fn ignored(&self, why: &Ignored) -> Sentence {
        const UNLESS: &str = "لا يلزم شيء ما لم يتغير الطلب.";
        match why {
            Ignored::NoOwnLines { vendors } if vendors.is_empty() => {
                say("لا يحتوي الطلب على أي بند لهذا التاجر.", "إن كان يجب أن يحتوي: صحّح مورّدي التاجر.")
            }
            Ignored::NoOwnLines { vendors } => say(
                format!("لا يوجد بند يخص هذا التاجر؛ مورّدو الطلب: {}.", list(vendors)),
                "إن كان أحدهم للتاجر: أضفه إلى مورّدي التاجر.",
            ),
            Ignored::BeforeGoLive { placed_at, live_from } => say(
                format!(
                    "تاريخ الطلب {} قبل بدء التشغيل المباشر للتاجر ({}).",
                    isolated(&format!("{placed_at:.0}")),
                    isolated(&format!("{live_from:.0}"))
                ),
                "لا يلزم شيء: طلبات تلك الفترة سُجّلت يدويًا.",
            ),
            Ignored::TestOrder => say("طلب اختبار: لم يُدفع مال.", UNLESS),
            Ignored::Sample => say("إشعار تجريبي من شوبيفاي: الاتصال يعمل.", "لا يلزم شيء: لم يشترِ أحد هذا الطلب."),
            Ignored::Source { source } => say(
                format!("يتجاهل التاجر طلبات قناة البيع {}.", quote(source)),
                "إن كان ذلك خطأ: احذف القناة من القنوات المتجاهلة لدى التاجر.",
            ),
            Ignored::Tag { tag } => say(
                format!("يتجاهل التاجر الطلبات التي تحمل الوسم {}.", quote(tag)),
                "إن كان ذلك خطأ: احذف الوسم من \u{2066}orders.ignored_tags\u{2069} في ملف التاجر.",
            ),
            Ignored::Dismissed => say(
                "صرف شخص النظر عنه: لا يلزم شيء ما دام الطلب كما هو.",
                "يُنظر فيه من جديد عندما يغيّره المتجر؛ وللنظر فيه الآن أعد المحاولة.",
            ),
            Ignored::InvoiceDeleted { reference } => say(
                format!("حُذف المستند {} في دفترة، ويقول شخص إن ذلك مقصود.", isolated(reference)),
                "يُسأل شخص من جديد عندما يغيّر المتجر الطلب؛ وللسؤال الآن أعد المحاولة.",
            ),
            Ignored::CancelledBeforeInvoice => say("أُلغي الطلب قبل إنشاء فاتورة.", UNLESS),
            Ignored::DeletedBeforeInvoice => say("حُذف الطلب من المتجر قبل إنشاء فاتورة.", UNLESS),
            Ignored::NothingToBill => {
                say("لم يبق شيء للفوترة: كل البنود أزيلت أو استُرجعت أو استبعدتها القواعد.", UNLESS)
            }
        }
    }

    fn waiting(&self, why: &Waiting) -> Sentence {
        match why {
            Waiting::Settling { reference } => say(
                format!("ضاع الرد على {}، وقد يكون موجودًا في دفترة أو لا.", isolated(reference)),
                "سيُبحث عنه تلقائيًا بعد أن يصبح تنفيذ متأخر غير ممكن؛ ولا يُرسل مرة أخرى دون بحث.",
            ),
            Waiting::LookingAgain { reference } => say(
                format!("بُحث عن {} في دفترة ولم يُعثر عليه.", isolated(reference)),
                "سيُبحث عنه مرة أخرى تلقائيًا قبل إعادة إرساله.",
            ),
            Waiting::CancelRecord => {
                say("أُلغي الطلب وقد يصل سجل الاسترجاع من المتجر بعد.", "يتابع تلقائيًا عند وصول السجل أو بعد ربع ساعة.")
            }
            Waiting::NotPaid => say("لم يُدفع بعد.", "يتابع تلقائيًا عندما يبلّغ المتجر بالدفع."),
            Waiting::BodyRemoved => say(
                "عُرف شيء جديد عن هذا الطلب، لكن ما قاله المتجر عن الطلب نفسه أُزيل بعد انقضاء مدته.",
                "يتابع تلقائيًا عندما يرسل المتجر الطلب مرة أخرى. إن لم يرسله خلال دقائق: احفظ الطلب مرة في شوبيفاي، بإضافة وسم مثلًا.",
            ),
            Waiting::OrderBehind { refund } => say(
                format!("وصل الاسترجاع {} قبل الطلب الأحدث الذي يفسّره.", isolated(&refund.to_string())),
                "يتابع تلقائيًا عندما يرسل المتجر الطلب الأحدث.",
            ),
            Waiting::StockPending { reference, why } => say(
                format!(
                    "الفاتورة {} موجودة ولم يتحرك مخزونها بعد: {}.",
                    isolated(reference),
                    why.iter().map(unmoved).collect::<Vec<_>>().join("؛ ")
                ),
                "عالج ذلك في دفترة. يُسأل عنه تلقائيًا كل ساعة ليوم واحد ثم كل يوم.",
            ),
            Waiting::MoneyUnderWay { refund } => say(
                format!("مال الاسترجاع {} في الطريق، والبضاعة وحدها لا تفسره.", isolated(&refund.to_string())),
                "يتابع تلقائيًا عندما يبلّغ المتجر بوصول المال.",
            ),
            Waiting::NotFulfilled => say("لم يُشحن بعد.", "يتابع تلقائيًا عندما يبلّغ المتجر باكتمال الشحن."),
        }
    }

    fn hold(&self, why: &Hold, currency: Option<Currency>) -> Sentence {
        let sum = |amount: Amount| money(self, amount, currency);
        match why {
            Hold::UnknownProduct { line, codes } if codes.is_empty() => say(
                format!("البند {} بلا رمز SKU وبلا باركود، فلا يمكن إيجاد منتج له.", quote(line)),
                "أضف رمز SKU في المتجر أو اربط رقم الصنف بمنتج، ثم أعد المحاولة.",
            ),
            Hold::UnknownProduct { line, codes } => say(
                format!(
                    "لا يوجد في دفترة منتج للبند {}؛ بُحث عن {}.",
                    quote(line),
                    list(codes.iter().map(|code| code.as_str()))
                ),
                "أضف المنتج بهذا الرمز في دفترة أو اربط الرمز بمنتج، ثم أعد المحاولة.",
            ),
            Hold::AmbiguousProduct { line, sku, products } => say(
                format!("أكثر من منتج يناسب البند {} ({}): {}.", quote(line), isolated(sku.as_str()), list(products)),
                "اربط الرمز بالمنتج الصحيح أو صحّح الرموز في دفترة، ثم أعد المحاولة.",
            ),
            Hold::UnknownTax { line, title, rate, included } => say(
                format!(
                    "لا توجد ضريبة معروفة في دفترة مقابل {} بنسبة {} ({}) على البند {}.",
                    quote(title),
                    isolated(&rate.to_string()),
                    if *included { "ضمن السعر" } else { "فوق السعر" },
                    quote(line)
                ),
                "أضف سطرًا لها في جدول ضرائب التاجر، ثم أعد المحاولة.",
            ),
            Hold::SeveralTaxes { line, title, rate, included } => say(
                format!(
                    "على البند {} عدة ضرائب: {}، ومجموع نسبها {} ({})، وليس مؤكدًا كيف تجمع دفترة ضريبة ثانية مع الأولى.",
                    quote(line),
                    quote(title),
                    isolated(&rate.to_string()),
                    if *included { "ضمن السعر" } else { "فوق السعر" },
                ),
                "أنشئ في دفترة ضريبة واحدة بهذه النسبة، وأضف سطرًا بهذا العنوان وهذه النسبة في جدول ضرائب التاجر، ثم أعد المحاولة.",
            ),
            Hold::CustomLine { line } => say(
                format!("البند {} بند مخصص، والقواعد تتركه لقرار شخص.", quote(line)),
                "في ملف التاجر اجعل \u{2066}lines.custom\u{2069} إما \u{2066}\"line\"\u{2069} أو \u{2066}\"skip\"\u{2069}، ثم أعد المحاولة.",
            ),
            Hold::GiftCard { line } => say(
                format!("البند {} بطاقة هدية، والقواعد تتركها لقرار شخص.", quote(line)),
                "في ملف التاجر اجعل \u{2066}lines.gift_card\u{2069} إما \u{2066}\"line\"\u{2069} أو \u{2066}\"skip\"\u{2069}، ثم أعد المحاولة.",
            ),
            Hold::Tip { line } => say(
                format!("البند {} إكرامية، والقواعد تتركها لقرار شخص.", quote(line)),
                "في ملف التاجر اجعل \u{2066}lines.tip\u{2069} إما \u{2066}\"line\"\u{2069} أو \u{2066}\"skip\"\u{2069}، ثم أعد المحاولة.",
            ),
            Hold::ExtraAmount { what, amount } => {
                say(format!("يحمل الطلب {} بمبلغ {} إلى جانب بنوده.", extra(*what), sum(*amount)), extra_step(*what))
            }
            Hold::AmountsDoNotAddUp { expected, found } => say(
                format!("مجاميع الطلب نفسه لا تتطابق: المتوقع {} والمذكور {}.", sum(*expected), sum(*found)),
                "راجع الطلب في المتجر؛ فإن كان صحيحًا هناك فسجّله يدويًا وأبلغ عن ذلك.",
            ),
            Hold::TotalsDiffer { order, daftra, tax_order, tax_daftra, tolerance, lines } => say(
                format!(
                    "تحسب دفترة {} منها ضريبة {}، والطلب يقول {} منها ضريبة {}؛ الفرق المسموح {}.{}",
                    sum(*daftra),
                    sum(*tax_daftra),
                    sum(*order),
                    sum(*tax_order),
                    sum(*tolerance),
                    differing(lines, |one| format!(
                        "{}: {} منها ضريبة {} بدل {} منها ضريبة {}",
                        quote(&one.line),
                        sum(one.daftra),
                        sum(one.tax_daftra),
                        sum(one.order),
                        sum(one.tax_order)
                    ))
                ),
                "راجع جدول الضرائب وهل الأسعار شاملة الضريبة، أو ارفع الفرق المسموح لدى التاجر، ثم أعد المحاولة.",
            ),
            Hold::AccountTooCoarse { currency, decimals } => say(
                format!(
                    "حساب دفترة يحفظ {decimals} من المنازل العشرية، والعملة {} تحتاج {}.",
                    isolated(currency.code()),
                    currency.digits()
                ),
                "ارفع عدد المنازل العشرية في إعدادات دفترة، ثم أعد المحاولة.",
            ),
            Hold::OtherAccount { reference } => say(
                format!("المستند {} موجود في حساب دفترة غير حساب التاجر الحالي.", isolated(reference)),
                "أعد العنوان القديم حتى يكتمل الطلب، أو أكمله يدويًا في الحساب القديم.",
            ),
            Hold::QuantitiesDiffer { line, ours, shop } => say(
                format!("المتبقي من البند {}: {ours} بحسب سجلاتنا، و{shop} بحسب المتجر.", quote(line)),
                "قارن مرتجعات الطلب في المتجر بمستنداته أدناه، ثم أعد المحاولة.",
            ),
            Hold::CancelledButPaid => say(
                "أُلغي الطلب رغم دفعه، ولا سجل استرجاع يفسر المال.",
                "استرجع الطلب في المتجر أو سجّل الفاتورة المرتجعة يدويًا.",
            ),
            Hold::CancelledAfterShipping => say(
                "أُلغي الطلب بعد شحن بضاعة، ولا يُعرف هل عادت إلى المستودع.",
                "سجّل الإرجاع في المتجر أو سجّل الفاتورة المرتجعة يدويًا.",
            ),
            Hold::Exchange { back, given } => say(
                format!("استُبدلت بضاعة: عاد {} وخرج بدلًا منه {}.", units(back, quote), units(given, quote)),
                "قارن الجانبين بالمتجر، ثم اجعل \u{2066}orders.exchange\u{2069} في ملف التاجر \u{2066}\"book\"\u{2069} وأعد المحاولة.",
            ),
            Hold::RefundPart { refund, part } => say(
                format!(
                    "في الاسترجاع {} جزء لا يمكن تسجيله تلقائيًا: {}.",
                    isolated(&refund.to_string()),
                    refund_part(*part)
                ),
                match part {
                    RefundPart::Adjustment | RefundPart::MoneyOnly => {
                        "سجّل هذا الجزء يدويًا في دفترة، أو حدّد \u{2066}lines.goodwill\u{2069} في ملف التاجر ثم أعد المحاولة."
                    }
                    RefundPart::Duties | RefundPart::Shipping | RefundPart::Line | RefundPart::TooMuch => {
                        "سجّل هذا الجزء يدويًا في دفترة."
                    }
                },
            ),
            Hold::RefundExceeds { refund, line, left, refunded } => say(
                format!(
                    "الاسترجاع {} يعيد {refunded} من البند {}، ولم يبق على الفاتورة إلا {left}.",
                    isolated(&refund.to_string()),
                    quote(line)
                ),
                "قارن مرتجعات المتجر بالفواتير المرتجعة أدناه وصحّحها يدويًا.",
            ),
            Hold::Overdrawn { line, units, net, tax } => say(
                format!(
                    "أُعيد من البند {} أكثر مما على الفاتورة. المتبقي: الكمية {units}، والمبلغ {}، والضريبة {}.",
                    quote(line),
                    money(self, *net, currency),
                    money(self, *tax, currency)
                ),
                "قارن مرتجعات المتجر بالفواتير المرتجعة أدناه وصحّحها يدويًا.",
            ),
            Hold::UnmappedGateway { gateways } if gateways.is_empty() => say(
                "الطلب مدفوع ولا يقول المتجر بأي طريقة.",
                "سجّل هذه الدفعة يدويًا، أو اجعل المتجر يرسل order_transactions/create ويحدد طريقة الدفع.",
            ),
            Hold::UnmappedGateway { gateways } if gateways.len() > 1 => say(
                format!("دُفع الطلب بعدة طرق لا تُسجَّل بالشكل نفسه أو لا تُسجَّل أصلًا: {}.", list(gateways)),
                "أضف كل طريقة تحت payments.gateway في ملف التاجر، واجعل المتجر يرسل order_transactions/create.",
            ),
            Hold::UnmappedGateway { gateways } => say(
                format!("لم يُحدَّد كيف يُسجَّل المال المدفوع عبر {}.", list(gateways)),
                "أضف الطريقة تحت payments.gateway في ملف التاجر مع طريقة الدفع المقابلة في دفترة.",
            ),
            Hold::ForeignPayment { transaction, amount, currency } => say(
                format!(
                    "العملية {} مبلغها {}، وهو ليس مبلغًا بعملة المتجر.",
                    isolated(&transaction.to_string()),
                    isolated(&format!("{amount} {currency}"))
                ),
                "سجّل هذه الدفعة يدويًا في دفترة.",
            ),
            Hold::PayBackByHand { refund, amount } => say(
                format!("أعاد الاسترجاع {} مبلغ {} كان قد دُفع زيادة.", isolated(&refund.to_string()), sum(*amount)),
                "سجّل المبلغ المعاد يدويًا في دفترة، أو فعّل payments.refunds في ملف التاجر.",
            ),
            Hold::Refused { reference, refusal } => say(
                format!("رفضت دفترة المستند {}: {}.", isolated(reference), words_of(refusal)),
                "صحّح ما تشتكي منه دفترة، ثم أعد المحاولة.",
            ),
            Hold::NotEnoughStock { reference, shortages } => say(
                format!(
                    "رفضت دفترة المستند {} والمخزون لا يكفي: {}.",
                    isolated(reference),
                    shortages.iter().map(shortage).collect::<Vec<_>>().join("؛ ")
                ),
                "أضف المخزون أو صحّحه في دفترة. تُعاد المحاولة تلقائيًا كل ساعة.",
            ),
            Hold::Locked { reference, refusal, payments } if payments.is_empty() => say(
                format!("المستند {} موجود وترفض دفترة تعديله: {}.", isolated(reference), words_of(refusal)),
                "افتح القفل في دفترة وأعد المحاولة، أو صحّحه هناك يدويًا.",
            ),
            Hold::Locked { reference, refusal, payments } => say(
                format!(
                    "المستند {} موجود وترفض دفترة تعديله: {}. عليه دفعات ليست لنا ({})، فلا تحل محله فاتورة جديدة.",
                    isolated(reference),
                    words_of(refusal),
                    list(payments)
                ),
                "أزل الدفعات عنه في دفترة وأعد المحاولة، أو صحّح الفاتورة هناك يدويًا.",
            ),
            Hold::Gone { reference } => say(
                format!("حذف شخص المستند {} في دفترة.", isolated(reference)),
                "قل على صفحة الطلب هل يبقى محذوفًا أم تُنشأ له فاتورة جديدة (\u{2066}qantara hold leave\u{2069} و\u{2066}qantara hold new-invoice\u{2069})؛ أو استعده في دفترة وأعد المحاولة.",
            ),
            Hold::ChangedByHand { reference, differences } => say(
                format!(
                    "المستند {} في دفترة ليس كما كتبناه: {}.",
                    isolated(reference),
                    differences.iter().map(difference).collect::<Vec<_>>().join("؛ ")
                ),
                "صحّحه في دفترة وأعد المحاولة؛ والفاتورة يمكن كتابتها مجددًا كما كانت (في صفحة الطلب، أو qantara hold rewrite). لن يُكتب فوقه شيء قبل ذلك.",
            ),
            Hold::SeveralFound { reference, ids } => say(
                format!("أكثر من مستند في دفترة يحمل المرجع {}: {}.", isolated(reference), list(ids)),
                "احذف الزائد في دفترة، ثم أعد المحاولة.",
            ),
            Hold::LookUpFails { reference } => say(
                format!("تعذر البحث عن {} مرة بعد مرة.", isolated(reference)),
                "تحقق من أن دفترة تستجيب وتُظهر كل الفواتير لهذا المفتاح، ثم أعد المحاولة.",
            ),
            Hold::TooManyUnknownSends { reference } => say(
                format!("أُرسل {} مرات كثيرة دون رد فلا يُرسل مرة أخرى.", isolated(reference)),
                "ابحث في دفترة هل هو موجود وما الذي يمنع الرد، ثم أعد المحاولة.",
            ),
        }
    }

    fn failed(&self, why: &Failed) -> Sentence {
        match why {
            Failed::Unreadable { topic, path, problem } => say(
                format!("تعذرت قراءة الإشعار {} عند {}: {}.", isolated(topic), isolated(path), isolated(problem)),
                "أبلغ عن هذا النص؛ الإشعار محفوظ، وقد يكون إشعار أحدث للطلب قابلًا للقراءة.",
            ),
            Failed::TooManyFailures { failures, last } => say(
                format!("{}، والخطأ الأخير: {}.", TRIES.of(*failures), quote(last)),
                "تحقق من مفتاح التاجر وعنوانه ومن أن دفترة تستجيب، ثم أعد المحاولة.",
            ),
            Failed::NoEnd => say(
                "لم تنتهِ معالجة هذا الطلب: خطأ في هذا البرنامج.",
                "أبلغ عنه مع هذه الصفحة، وأعد المحاولة بعد التحديث.",
            ),
            Failed::Panicked { text } => {
                say(format!("خطأ في هذا البرنامج: {}.", isolated(text)), "أبلغ عن هذا النص، وأعد المحاولة بعد التحديث.")
            }
        }
    }

    fn trouble(&self, trouble: &Trouble) -> Sentence {
        match trouble {
            Trouble::Credential { text } => say(
                format!("دفترة لا تقبل المفتاح: {}.", quote(text)),
                "أنشئ مفتاح API جديدًا في دفترة وأعطه للتاجر؛ تتابع الطلبات بعدها تلقائيًا.",
            ),
            Trouble::Redirect => {
                say("عنوان دفترة يرد بتحويل إلى عنوان آخر، والمفتاح لا يُرسل إليه.", "أعطِ التاجر العنوان النهائي للحساب.")
            }
            Trouble::Html => {
                say("عنوان دفترة يرد بصفحة بدل البيانات.", "تحقق من العنوان ومن أن الحساب غير موقوف أو تحت الصيانة.")
            }
            Trouble::OtherSite { known, found } => say(
                format!("حساب آخر يرد على هذا العنوان: {} بدل {}.", isolated(found), isolated(known)),
                "أعطِ التاجر عنوان حسابه ومفتاحه.",
            ),
        }
    }

    fn blocked(&self, blocked: &Blocked) -> Sentence {
        match blocked {
            Blocked::Token => say(
                "المتجر لا يقبل الرمز (401): أُلغي أو انتهى أو هو لمتجر آخر.",
                "في شوبيفاي: الإعدادات، التطبيقات، التطبيق، بيانات اعتماد \u{2066}API\u{2069}. أنشئ الرمز أو انسخه ثم اربط المتجر من جديد.",
            ),
            Blocked::Client { text } => say(
                format!("المتجر لا يعطي رمزًا لهذا المعرّف والسر: {}.", quote(text)),
                "قارنهما بلوحة \u{2066}Dev Dashboard\u{2069}: التطبيق، الإعدادات. يجب أن يكون التطبيق مثبتًا في هذا المتجر وأن يكونا في المنظمة نفسها. \
                 ثم اربط المتجر من جديد.",
            ),
            Blocked::Unpaid => say(
                "المتجر مغلق أمام البرامج لأن باقته غير مدفوعة (402).",
                "ادفع الباقة في شوبيفاي: الإعدادات، الباقة. بعدها يستمر كل شيء من تلقاء نفسه.",
            ),
            Blocked::Forbidden => say(
                "المتجر لا يسمح لهذا التطبيق بالدخول (403).",
                "انظر في شوبيفاي تحت الإعدادات، التطبيقات، هل التطبيق ما زال مثبتًا؛ ثبّته واربط المتجر من جديد.",
            ),
            Blocked::NoShop => say(
                "لا يعرف شوبيفاي متجرًا كهذا (404).",
                "قارن نطاق متجر التاجر بما في شوبيفاي: الإعدادات، النطاقات، النطاق المنتهي بـ \u{2066}myshopify.com\u{2069}.",
            ),
            Blocked::Locked => {
                say("أقفل شوبيفاي المتجر (423).", "لا يفتحه إلا دعم شوبيفاي. بعدها يستمر كل شيء من تلقاء نفسه.")
            }
            Blocked::Scopes { missing } => say(
                format!("لا يُسمح للتطبيق بما يلزم؛ تنقصه هذه الصلاحيات: {}.", list(missing)),
                "في إعداد التطبيق علّمها تحت صلاحيات \u{2066}Admin API\u{2069}، واحفظ، وأكّد التحديث في المتجر؛ ثم اربط المتجر من جديد.",
            ),
            Blocked::Protected => say(
                "التطبيق غير معتمد لبيانات العملاء المحمية، فلا يرى الطلبات.",
                "في لوحة \u{2066}Dev Dashboard\u{2069}: التطبيق، \u{2066}API access\u{2069}، \u{2066}Protected customer data access\u{2069}. اطلبها للطلبات وللاسم والعنوان والهاتف \
                 والبريد؛ متاجر التطوير لا تحتاج إلى مراجعة.",
            ),
            Blocked::Sealed => say(
                "ما هو محفوظ لواجهة \u{2066}API\u{2069} لا يُفتح: صار للتاجر متجر آخر، أو المفتاح الرئيسي غيره.",
                "اربط المتجر من جديد.",
            ),
        }
    }

    fn rejection(&self, why: Why, shop: &str) -> Sentence {
        match why {
            Why::NoSignature => say(
                "لا تحمل توقيعًا، فلم ترسلها شوبيفاي بهذا الشكل.",
                format!(
                    "لا يلزم شيء إن كانت قليلة: الغرباء يجرّبون كل العناوين. أما إذا كانت إشعارات المتجر نفسه لا تصل، فشيء أمام هذا \
                     الخادم يحذف الترويسة {}: اسمح بمرورها.",
                    isolated("X-Shopify-Hmac-Sha256")
                ),
            ),
            Why::BrokenSignature => say(
                "ما تحمله كتوقيع مقطوع أو مشوّه.",
                format!(
                    "شيء أمام هذا الخادم يغيّر الترويسة {}: اسمح بمرورها كما هي.",
                    isolated("X-Shopify-Hmac-Sha256")
                ),
            ),
            Why::EmptyBody => say(
                "وصلت بلا نص.",
                format!("إعادة التوجيه تُضيّعه. أعطِ شوبيفاي عنوان الإشعارات النهائي، مع {} وبلا تحويل.", isolated("https")),
            ),
            Why::UnknownAddress => say(
                "أُرسلت إلى عنوان إشعارات ليس لأي تاجر.",
                "قارن العنوان في شوبيفاي بالعنوان في صفحة التاجر حرفًا حرفًا.",
            ),
            Why::UnknownShop if shop.is_empty() => say(
                "لا تذكر متجرًا، أو تذكر متجرًا غير معروف هنا.",
                "لا يلزم شيء، إلا إذا كانت إشعارات متجر لا تصل: عندها أعطِ شوبيفاي عنوان الإشعارات الخاص بالتاجر.",
            ),
            Why::UnknownShop => say(
                format!("لا يوجد تاجر له المتجر {}.", isolated(shop)),
                "إذا كان المتجر لك فأضف تاجرًا بهذا النطاق؛ وإلا فلا يلزم شيء.",
            ),
            Why::Closed => say(
                "هذا التاجر مغلق، ومتجره ما زال يرسل.",
                "احذف الإشعارات (Webhooks) في شوبيفاي، أو افتح التاجر من جديد.",
            ),
            Why::OtherShop if shop.is_empty() => say(
                "لا تذكر متجر هذا التاجر.",
                format!(
                    "لا يلزم شيء إن كانت قليلة: الغرباء يجرّبون كل العناوين. أما إذا كانت إشعارات المتجر نفسه لا تصل، فشيء أمام هذا \
                     الخادم يحذف الترويسة {}: اسمح بمرورها.",
                    isolated("X-Shopify-Shop-Domain")
                ),
            ),
            Why::OtherShop => say(
                format!("تذكر متجرًا آخر: {}.", isolated(shop)),
                "إذا كان هذا متجر التاجر فصحّح نطاقه الدائم. وإلا فإن إشعارًا في ذلك المتجر يحمل عنوان هذا التاجر: احذفه هناك.",
            ),
            Why::ForgottenSecret => say(
                "موقّعة بسرّ هذا التاجر السابق.",
                "ما زالت شوبيفاي تستعمل السرّ الذي استُبدل أو حُذف هنا. أدخله من جديد، ولا تحذفه إلا بعد أن يُستعمل الجديد.",
            ),
            Why::ChangedBody => say(
                "السرّ صحيح، لكن النص تغيّر في الطريق إلى هنا.",
                "شيء بين شوبيفاي وهذا الخادم يعيد كتابة ما يمر (وسيط أو جدار حماية أو أتمتة): اسمح بمرور الإشعارات دون أي تغيير.",
            ),
            Why::OtherSecret => say(
                "موقّعة بسرّ غير السرّ المحفوظ.",
                format!(
                    "الإشعارات المنشأة من {} موقّعة بالسرّ الظاهر أسفل قائمتها هناك؛ وإشعارات التطبيق موقّعة بسرّه الخاص \
                     ({}). أدخل السرّ الخاص بهذه الإشعارات.",
                    isolated("Settings → Notifications"),
                    isolated("client secret")
                ),
            ),
            Why::Unexamined => say(
                "وصل الكثير منها دفعة واحدة فلم تُفحص كل واحدة، أو كانت كبيرة جدًا.",
                "الأسباب الأخرى تبيّن الخلل. وإن لم توجد، فغريب يجرّب الباب: لا يدخل شيء.",
            ),
        }
    }

    fn fate(&self, fate: Fate) -> &'static str {
        match fate {
            Fate::Order => "وصل إلى طلبه",
            Fate::Sample => "إشعار تجريبي",
            Fate::Unreadable => "تعذرت قراءته",
            Fate::Other => "ليس عن طلب",
        }
    }

    fn step(&self, step: &Step, currency: Option<Currency>) -> String {
        let sum = |amount: Amount| money(self, amount, currency);
        match step {
            Step::Ownership { title, vendor, seen, .. } => {
                let verdict = match seen {
                    Seen::Billed => "للتاجر، على الفاتورة",
                    Seen::NotOurs => "ليس للتاجر",
                    Seen::Skipped => "للتاجر، استبعدته القواعد",
                };
                format!("البند {} للمورّد {}: {verdict}.", quote(title), quote(vendor))
            }
            Step::Product { title, rule, code, product_id, .. } => {
                let rule = match rule {
                    Rule::Mapping => "بربط يدوي للرمز",
                    Rule::Barcode => "بالباركود",
                    Rule::BarcodeTwin => "بالباركود مع فرق صفر في أوله",
                    Rule::Code => "برمز المنتج",
                    Rule::SkuPrefix => "ببداية رمز SKU",
                };
                format!("البند {}: المنتج {product_id}، وُجد {rule} {}.", quote(title), isolated(code.as_str()))
            }
            Step::Shipping { policy, billed } => {
                let policy = match policy {
                    ShippingPolicy::AllLines => "فقط عندما يكون الطلب كله للتاجر",
                    ShippingPolicy::Always => "دائمًا",
                    ShippingPolicy::Never => "أبدًا",
                };
                format!("الشحن {} الفاتورة (القاعدة: {policy}).", if *billed { "على" } else { "ليس على" })
            }
            Step::Totals { shop, daftra } => format!(
                "الطلب يقول {} منها ضريبة {}، وتحسب دفترة {} منها ضريبة {}.",
                sum(shop.total),
                sum(shop.tax),
                sum(daftra.total),
                sum(daftra.tax)
            ),
            Step::Refund { id, class } => {
                format!("الاسترجاع {}: {}.", isolated(&id.to_string()), self.refund_class(*class))
            }
            Step::Money(money) => {
                let owed = self.owed(money.unpaid(), currency).map_or_else(String::new, |owed| format!(" {owed}"));
                format!(
                    "المال: {}. تكلفة الطلب الآن {}؛ دخل {} وأُعيد {}.{owed}",
                    self.money_state(money.state),
                    sum(money.total),
                    sum(money.received),
                    sum(money.given_back)
                )
            }
            Step::InStep { reference } => format!("المستند {} كما يجب أن يكون.", isolated(reference)),
            Step::WouldDo { operation } => match planned(operation) {
                Planned::Create(draft) => {
                    let total = sum(draft.total());
                    format!("لم يُنفَّذ في وضع الظل: إنشاء {} بمبلغ {total}.", self.document_kind(draft))
                }
                Planned::Replace(draft) => {
                    let total = sum(draft.total());
                    format!("لم يُنفَّذ في وضع الظل: تعديل {} إلى {total}.", self.document_kind(draft))
                }
                Planned::OwnBooks => "لم يُنفَّذ في وضع الظل: ملاحظة في سجلاتنا.".to_owned(),
            },
            Step::DeletedInShop => "حذف المتجر الطلب؛ والسجلات باقية.".to_owned(),
            Step::Trimmed { at, days, known: _ } => format!(
                "أُزيل ما قاله المتجر عن الطلب وبيانات المشتري والقرارات {} ({}).",
                Lang::Ar.shell().after_days.of(*days),
                isolated(&format!("{at:.0}"))
            ),
        }
    }

    fn document(&self, reference: &str, number: Option<&str>, state: document::State) -> String {
        let name = number.map_or_else(String::new, |number| format!("رقم {}، ", isolated(number)));
        format!("{name}{}: {}", isolated(reference), self.document_state(state))
    }

    fn said(&self, said: Said) -> &'static str {
        match said {
            Said::LooksAgain => "سيُفحص الطلب من جديد.",
            Said::Saved => "تم الحفظ.",
            Said::Mapped => "تم الحفظ. يُعاد فحص كل طلب كان ينتظر منتجًا.",
            Said::UserAdded => "أضيف المستخدم ويمكنه تسجيل الدخول.",
            Said::PasswordChanged => "تم تغيير كلمة المرور. رموز الوصول باقية كما هي.",
            Said::TokensEnded => "تم تغيير كلمة المرور، وانتهت كل رموز الوصول.",
            Said::Noted => "حُفظت الملاحظة مع الطلب.",
            Said::Dismissed => "صُرف النظر عن الطلب حتى يغيّره المتجر.",
            Said::Imported => "يجري تسجيل الطلب الآن.",
            Said::Decided => "حُفظ قرارك ويُنظر في الطلب على أساسه.",
            Said::Replayed => "قُرئ الإشعار من جديد ويُنظر في الطلب الآن.",
            Said::FileTaken => "أُدخل الملف. يُعاد فحص كل طلب كان ينتظر منتجًا.",
            Said::Forgetting => "يجري نسيان العميل، ويتم ذلك خلال دقيقة.",
        }
    }

    fn notice(&self, notice: Notice) -> Sentence {
        match notice {
            Notice::SignIn => say("لم تسجّل الدخول.", "أعد تحميل الصفحة وأدخل اسمك وكلمة المرور."),
            Notice::TooManyTries { seconds } => {
                say("كلمات مرور خاطئة كثيرة.", format!("انتظر {} ثم أعد تحميل الصفحة.", SECONDS.of(seconds)))
            }
            Notice::Forbidden => say("صلاحيتك لا تسمح بهذا.", "اطلب من مالك أن يفعله أو أن يغيّر صلاحيتك."),
            Notice::TokenNeeded => {
                say("لا تُجري البرامج تغييرًا إلا برمز وصول.", "أنشئ رمزًا في صفحة حسابك وأرسله مع الطلب.")
            }
            Notice::CrossSite => say("لم يأتِ هذا من إحدى صفحاتنا.", "افتح الصفحة هنا واضغط الزر فيها."),
            Notice::StaleForm => {
                say("النموذج قديم، أو أُرسل دون علامته.", "لم يتغير شيء. ارجع إلى صفحة النموذج وكرر فيها ما فعلت.")
            }
            Notice::NotFound => say(
                "لا يوجد شيء في هذا العنوان.",
                "قد يكون فيه خطأ كتابة، أو قد يخص تاجرًا لا تراه. تابع من الصفحة أدناه.",
            ),
            Notice::Refused => say("لا يمكن تنفيذ ذلك", "صحّح القيمة ثم أعد المحاولة."),
            Notice::WrongMethod => {
                say("هذا العنوان ليس صفحة.", "يستقبل ما يرسله زر أو نموذج فقط. انتقل إلى الصفحة أدناه واضغط الزر فيها.")
            }
            Notice::TooLarge => say("ما أُرسل كبير جدًا.", "لم يتغير شيء. أرسل أقل في المرة الواحدة، كأن تقسم الملف."),
            Notice::TooSlow => say("لم يصل ما أُرسل في الوقت المحدد.", "لم يتغير شيء. ارجع وأرسله من جديد."),
            Notice::Unsupported => say("ما أُرسل بصيغة لا تُقرأ.", "أرسله غير مضغوط وبصيغة نموذج."),
            Notice::Busy => say("الخدمة مشغولة.", "أعد تحميل الصفحة بعد لحظات."),
            Notice::Fault => say("حدث خطأ هنا.", "أعد المحاولة؛ التفاصيل في السجل."),
        }
    }

    fn minor_units(&self, amount: Amount) -> String {
        format!("{} (بأصغر وحدة للعملة)", amount.0)
    }

    fn isolate(&self, text: &str) -> String {
        isolated(text)
    }
}

fn extra(what: Extra) -> &'static str {
    match what {
        Extra::Tip => "إكرامية",
        Extra::Duties => "رسومًا جمركية",
        Extra::Fees => "رسومًا",
        Extra::CashRounding => "تقريبًا نقديًا",
    }
}

fn extra_step(what: Extra) -> &'static str {
    match what {
        Extra::Tip => {
            "في ملف التاجر اجعل \u{2066}lines.tip\u{2069} إما \u{2066}\"line\"\u{2069} أو \u{2066}\"skip\"\u{2069}، ثم أعد المحاولة."
        }
        Extra::Duties | Extra::Fees => {
            "في ملف التاجر اجعل \u{2066}lines.duty\u{2069} إما \u{2066}\"line\"\u{2069} أو \u{2066}\"skip\"\u{2069}، ثم أعد المحاولة."
        }
        Extra::CashRounding => "ليس له في دفترة سطر مؤكد: سجّل هذا الطلب يدويًا.",
    }
}

fn refund_part(part: RefundPart) -> &'static str {
    match part {
        RefundPart::Adjustment => "مال لا تفسره البضاعة ولا الشحن",
        RefundPart::MoneyOnly => "مال دون بضاعة",
        RefundPart::Duties => "رسوم جمركية",
        RefundPart::Shipping => "شحن يختلف عما على الفاتورة",
        RefundPart::Line => "بند لم يكن على الفاتورة قط",
        RefundPart::TooMuch => "مال يزيد على ما بقي في المستندات",
    }
}

fn unmoved(why: &Unmoved) -> String {
    match why {
        Unmoved::Draft => "الفاتورة مسودة لم يصدرها أحد".to_owned(),
        Unmoved::Requisition => "لم يؤكد المستودع الإذن المخزني".to_owned(),
        Unmoved::Untracked(product) => format!("لا تتابع دفترة مخزون المنتج {product}"),
    }
}

fn shortage(one: &Shortage) -> String {
    let Shortage { product_id, title, store_id, wanted, available } = one;
    let available = isolated(&available.normalize().to_string());
    format!("المطلوب {wanted} من {} (المنتج {product_id})، والمتاح في المستودع {store_id} هو {available}", quote(title))
}

fn difference(one: &Difference) -> String {
    let what = match one.what {
        DifferenceKind::Row => "السطر",
        DifferenceKind::Total => "الإجمالي",
        DifferenceKind::Store => "المستودع",
        DifferenceKind::Draft => "المسودة",
        DifferenceKind::Client => "العميل",
        DifferenceKind::Currency => "العملة",
        DifferenceKind::Date => "التاريخ",
        DifferenceKind::Refunded => "المُرجَع",
        DifferenceKind::Paid => "ما دفعه آخرون قبل تعديلنا وبعده",
        DifferenceKind::Amount => "المبلغ",
        DifferenceKind::Method => "طريقة الدفع",
    };
    format!("{what} هناك {} وهنا {}", quote(&one.daftra), quote(&one.ours))
}

fn words_of(refusal: &Refusal) -> String {
    let fields =
        refusal.fields.iter().map(|(field, complaint)| format!("؛ {}: {}", isolated(field), isolated(complaint)));
    format!("{} (الحالة {}){}", quote(&refusal.message), refusal.status, fields.collect::<String>())
}

static LABELS: Labels = Labels {
    alerts: "التنبيهات المفتوحة",
    merchants: "التجار",
    log: "سجل المزامنة",
    merchant: "التاجر",
    shop: "المتجر",
    mode: "الوضع",
    orders: "الطلبات",
    cause: "السبب",
    subject: "يخص",
    count: "المرات",
    since: "منذ",
    time: "الوقت",
    order: "الطلب",
    status: "الحالة",
    what: "ما حدث",
    all: "الكل",
    show: "عرض",
    older: "سطور أقدم",
    next_step: "الخطوة التالية",
    placed: "تاريخ الطلب",
    shop_number: "رقم شوبيفاي",
    next_look: "النظر التالي",
    failures: "محاولات فاشلة متتالية",
    try_again: "أعد المحاولة",
    documents: "المستندات في دفترة",
    no_documents: "لا مستند بعد.",
    kind: "النوع",
    number: "الرقم",
    state: "الحالة",
    total: "الإجمالي",
    remote_id: "معرّف دفترة",
    reference: "المرجع",
    verified: "آخر تحقق",
    content: "محتواه",
    line: "البند",
    sku: "رمز SKU",
    product: "المنتج",
    units: "الكمية",
    net: "المبلغ",
    method: "طريقة الدفع",
    gateway: "دُفع عبر",
    treasury: "الخزينة",
    money: "المال",
    tax: "الضريبة",
    decisions: "كيف تقرر ذلك",
    no_decisions: "لم يُخطط بعد.",
    deliveries: "الإشعارات من المتجر",
    no_deliveries: "لا إشعار محفوظ.",
    topic: "الموضوع",
    received: "وصل",
    sent: "أُرسل",
    repeats: "التكرار",
    event: "الحدث",
    calls: "الاتصالات بدفترة",
    no_calls: "لم يُتصل بدفترة لهذا الطلب.",
    no_end: "النهاية غير معروفة",
    duration: "المدة",
    request: "المرسل",
    answer: "الرد",
    unreadable: "(تعذر فكه)",
    times_in: "الأوقات بتوقيت",
};
